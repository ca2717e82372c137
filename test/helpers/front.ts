import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../services/package-root.js'
import type { Node } from './nodes.js'
import { freePort, type Owner } from './postgres.js'

/** A proxy that the examples have a configuration of. */
export type ProxyName = 'haproxy' | 'nginx'

/** Where a node listens. */
interface Place {
  port: number
}

const BIN: Record<ProxyName, string> = { haproxy: '/usr/sbin/haproxy', nginx: '/usr/sbin/nginx' }
const FILE: Record<ProxyName, string> = { haproxy: 'haproxy.cfg', nginx: 'nginx.conf' }
const START_MS = 20_000
const FRONT = join(packageRoot(), 'examples/front')

/** A tap option that skips a test, saying why, where a proxy is not to be had. */
export const needsProxy = (proxy: ProxyName) => (existsSync(BIN[proxy]) ? {} : { skip: `no ${BIN[proxy]}` })

/** Starts a proxy before two nodes or three, with the example's own configuration on other ports; answers its URL. */
export async function startProxy(
  owner: Owner,
  proxy: ProxyName,
  [a, b, c]: [a: Place, b: Place, c?: Place],
): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'chat-front-'))
  const port = await freePort()
  const file = join(dir, FILE[proxy])
  const example = readFileSync(join(FRONT, FILE[proxy]), 'utf8')
  const text = (c ? withThird(example, proxy, c) : example)
    .replaceAll('127.0.0.1:3002', `127.0.0.1:${a.port}`)
    .replaceAll('127.0.0.1:3003', `127.0.0.1:${b.port}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
  writeFileSync(file, text)
  const own = `daemon off; pid ${dir}/pid; error_log ${dir}/error.log;`
  const args = proxy === 'haproxy' ? ['-db', '-f', file] : ['-p', dir, '-c', file, '-e', `${dir}/error.log`, '-g', own]
  const child = spawn(BIN[proxy], args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-4_000)
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  // nginx's workers end with a master that is told to, and not with one that is killed.
  const end = () => void (isRunning() && child.kill('SIGTERM'))
  process.once('exit', end)
  owner.teardown(async () => {
    process.off('exit', end)
    if (isRunning()) {
      const gone = once(child, 'exit')
      end()
      await gone
    }
    rmSync(dir, { recursive: true, force: true })
  })
  for (const until = Date.now() + START_MS; !(await listens(port)); await sleep(20)) {
    if (!isRunning() || Date.now() > until) throw new Error(`${proxy} did not start: ${said}`)
  }
  return `http://127.0.0.1:${port}`
}

/** What an operator adds for a third node. */
function withThird(text: string, proxy: ProxyName, { port }: Place): string {
  const address = `127.0.0.1:${port}`
  if (proxy === 'haproxy') return `${text}  server c ${address} cookie c\n`
  const own = `upstream chat_c { server ${address} max_fails=1 fail_timeout=1s; server 127.0.0.1:3002 backup; }`
  return text
    .replace('b chat_b;', 'b chat_b; c chat_c;')
    .replace('~127.0.0.1:3003$ b;', `~127.0.0.1:3003$ b; ~${address}$ c;`)
    .replace('upstream chat_any {', `${own}\n  upstream chat_any {\n    server ${address} max_fails=1 fail_timeout=1s;`)
    .replaceAll('backup;', `backup; server ${address} backup;`)
    .replace(`3002 backup; server ${address} backup; }`, '3002 backup; }')
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Restarts all nodes in turn, with the example's script; answers how each ended. */
export async function roll(nodes: Node[]): Promise<{ code: number | null; ms: number }[]> {
  const ends: { code: number | null; ms: number }[] = []
  // What the script calls to restart a node, in place of a supervisor.
  const supervisor = createServer(async ({ url = '' }, response) => {
    const node = nodes[Number(url.slice(1))] as Node
    ends.push(await node.stop())
    await node.start().then(
      () => response.end(),
      () => response.writeHead(500).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(supervisor, 'listening')
  const address = supervisor.address()
  const port = typeof address === 'object' ? address?.port : 0
  const names = nodes.map(({ url }, i) => `${i}=${url}`)
  const script = spawn(join(FRONT, 'rolling-restart.sh'), names, {
    env: { PATH: process.env.PATH, RESTART: `curl -fsS http://127.0.0.1:${port}/%`, SETTLE_S: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  script.stderr.on('data', (data) => {
    said += data
  })
  const [code] = await once(script, 'exit')
  supervisor.close()
  if (code !== 0) throw new Error(`rolling-restart.sh ended with ${code}: ${said}`)
  return ends
}
