// Builds, and starts the server anew, whenever a source changes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))
const rooms = ['client', 'contract', 'plugins', 'routes', 'services', 'web'].filter((room) => existsSync(room))
const running = () => server?.exitCode === null && server.signalCode === null

let server
let timer
let turn = Promise.resolve()

async function restart() {
  if (spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' }).status !== 0) return
  if (running()) {
    server.kill()
    await once(server, 'exit')
  }
  server = spawn(process.execPath, ['--enable-source-maps', 'dist/server.js'], { stdio: 'inherit' })
}

function changed(_event, name) {
  if (!/\.(ts|html|css|svg)$/.test(name ?? '')) return
  clearTimeout(timer)
  timer = setTimeout(() => {
    turn = turn.then(restart)
  }, 50)
}

async function stop(signal) {
  // A terminal's Ctrl-C reaches the server by itself, and a second one would not let it drain.
  if (!running()) process.exit()
  if (signal === 'SIGTERM') server.kill()
  await once(server, 'exit')
  process.exit()
}

process.once('SIGINT', stop).once('SIGTERM', stop)
watch('.', changed)
for (const room of rooms) watch(room, { recursive: true }, changed)
await restart()
