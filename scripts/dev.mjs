// Builds, and starts the server anew, whenever a source changes. A signal goes on to what runs, and the runner ends as its server does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))
const rooms = ['client', 'contract', 'plugins', 'routes', 'services', 'web'].filter((room) => existsSync(room))

const children = new Set()
let server
let isStopping = false
let timer
let turn = Promise.resolve()

function run(...args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  children.add(child)
  child.once('exit', (code, signal) => {
    children.delete(child)
    if (isStopping && children.size === 0) endAs(code, signal)
  })
  return child
}

function endAs(code, signal) {
  process.exit(code ?? 128 + constants.signals[signal])
}

async function restart() {
  const [code] = await once(run('scripts/build.mjs'), 'exit')
  if (code !== 0 || isStopping) return
  const previous = server
  server = undefined
  if (children.has(previous)) {
    previous.kill()
    await once(previous, 'exit')
  }
  if (!isStopping) serve(previous === undefined)
}

function serve(isFirst) {
  const started = run('--enable-source-maps', 'dist/server.js')
  server = started
  started.once('exit', (code, signal) => {
    if (started !== server) return
    // What a change broke, the next change may mend.
    if (isFirst || code === 0) endAs(code, signal)
    console.error('❌ The server ended; the next change starts it again.')
  })
}

function changed(_event, name) {
  if (!/\.(ts|tsx|html|css|svg)$/.test(name ?? '')) return
  clearTimeout(timer)
  timer = setTimeout(() => {
    turn = turn.then(restart)
  }, 50)
}

// A terminal's Ctrl-C has reached the server already, which takes a second one as the same.
function stop(signal) {
  isStopping = true
  if (children.size === 0) process.exit()
  for (const child of children) child.kill(signal)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
watch('.', changed)
for (const room of rooms) watch(room, { recursive: true }, changed)
await restart()
