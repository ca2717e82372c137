import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ABUSE } from '../../contract/limits.js'
import { copyTemplate } from '../helpers/embedded.js'
import { freePort, type Owner, startPostgres } from '../helpers/postgres.js'
import { attacksOn, USERS } from './flood-attacks.js'
import type { Outcome } from './flood-client.js'
import { brokenBy, type FloodResult, type Row } from './flood-laws.js'
import { newcomer, startVictims } from './flood-victims.js'
import { createServerProcess, type ServerProcess } from './server.js'

export interface FloodOptions {
  database: 'embedded' | 'postgres'
  isQuick: boolean
  /** Only attacks whose name holds this. */
  only?: string | undefined
}

const CLIENT = resolve(import.meta.dirname, 'flood-client.js')
const HISTORY = 300
const CONTENT = `a common word ${'x'.repeat(1_000)}`
const SPANS = {
  quick: { quietMs: 3_000, attackMs: 1_250, restMs: 300 },
  full: { quietMs: 10_000, attackMs: 5_000, restMs: 1_000 },
}
const RSS_MS = 100
const TRIES = 3
const CALM_MS = 5_000
const CALM_TIMES = 2
const NEWCOMER_MS = 15_000
const MEGABYTE = 1_048_576

/** Lets each attack loose on a real server, beside two users who write to each other all the time. */
export async function flood(owner: Owner, { database, isQuick, only = '' }: FloodOptions): Promise<FloodResult> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-flood-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  if (database === 'embedded') await copyTemplate(dataDir)
  const cluster = database === 'postgres' ? await startPostgres(owner) : undefined
  const env = { DATA_DIR: dataDir, RATE_LIMIT: 'on', ...(cluster && { DATABASE_URL: cluster.url }) }
  const server = createServerProcess(await freePort(), env)
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  const { quietMs, attackMs, restMs } = SPANS[isQuick ? 'quick' : 'full']
  const attacks = attacksOn(await prepare(server), isQuick).filter(({ name }) => name.includes(only))
  const victims = await startVictims(owner, server, 'victims')
  await sleep(1_000)
  const quietFrom = performance.now()
  await sleep(quietMs)
  const quiet = victims.span(quietFrom, performance.now())

  const rows: Row[] = []
  for (const attack of attacks) {
    let row = await endure(attack)
    // A machine that pauses by itself does not do so three times in a row; a service that breaks does.
    for (let tries = 1; tries < TRIES && brokenBy(row).length > 0; tries += 1) {
      await sleep(ABUSE.outsideMs)
      row = await endure(attack)
    }
    rows.push(row)
  }

  async function endure({ name, plan }: (typeof attacks)[number]): Promise<Row> {
    const attacker = startAttacker(owner)
    const rssBefore = rssOf(server)
    let rss = rssBefore
    const watch = setInterval(() => {
      rss = Math.max(rss, rssOf(server))
    }, RSS_MS)
    const fromMs = performance.now()
    await attacker.begin({ ...plan, url: server.url })
    const begunMs = performance.now()
    const [newcomerMs, isReady] = await Promise.all([
      newcomer(owner, server, NEWCOMER_MS),
      fetch(`${server.url}/ready`, { signal: AbortSignal.timeout(NEWCOMER_MS) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    ])
    await sleep(Math.max(0, attackMs - (performance.now() - begunMs)))
    const toMs = performance.now()
    const outcome = await attacker.end()
    clearInterval(watch)
    await calm()
    return { attack: name, ...outcome, rssMb: rss - rssBefore, isReady, newcomerMs, ...spanOf(fromMs, toMs) }
  }

  /** What one attack has left undone is not the next one's. */
  async function calm(): Promise<void> {
    for (const end = performance.now() + CALM_MS; performance.now() < end; ) {
      await sleep(restMs)
      if (victims.span(performance.now() - restMs, performance.now()).max <= CALM_TIMES * quiet.p99) return
    }
  }

  function spanOf(fromMs: number, toMs: number): Pick<Row, 'victims' | 'beyondMs'> {
    const span = victims.span(fromMs, toMs)
    return { victims: span, beyondMs: Math.max(0, Math.round(span.p99 - quiet.p99)) }
  }
  const { failures, undelivered } = await victims.stop()
  const isRunning = server.isRunning()
  await server.kill()
  return { quiet, rows, failures, undelivered, said: server.said(), isRunning }
}

/** The users, a chat of the victims, and one of the attackers with some history. */
async function prepare(server: ServerProcess) {
  const chatId = 'flooded'
  const users = Array.from({ length: USERS }, (_, i) => `flooder-${i}`)
  const names = [...users, 'victim-0', 'victim-1', 'newcomer']
  for (let i = 0; i < names.length; i += 50) {
    await Promise.all(names.slice(i, i + 50).map((name) => must(server, 'PUT', `/users/${name}`, { name })))
  }
  await must(server, 'POST', '/chats', { type: 'group', chatId: 'victims', memberIds: ['victim-0', 'victim-1'] })
  await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds: users.slice(0, 200) })
  for (let i = 200; i < USERS; i += 200) {
    await must(server, 'POST', `/chats/${chatId}/members`, { userIds: users.slice(i, i + 200) })
  }
  let messageId = ''
  for (let i = 0; i < HISTORY; i += 1) {
    const body = await must(server, 'POST', `/chats/${chatId}/messages`, { content: CONTENT }, users[0])
    messageId = body.message?.id ?? messageId
  }
  return { chatId, messageId, nextUser: () => users.pop() ?? 'flooder-0' }
}

async function must(server: ServerProcess, method: string, path: string, body: object, onBehalfOf?: string) {
  const answer = await server.call(method, path, body, onBehalfOf)
  if (answer && answer.status < 300) return answer.body
  throw new Error(`${method} ${path}: ${JSON.stringify(answer)}\n${server.said()}`)
}

function startAttacker(owner: Owner) {
  const child: ChildProcess = fork(CLIENT, { stdio: 'inherit' })
  owner.teardown(() => child.kill('SIGKILL'))
  return {
    async begin(plan: object): Promise<void> {
      child.send(plan)
      await once(child, 'message')
    },
    async end(): Promise<Outcome> {
      child.send('stop')
      const [outcome] = (await once(child, 'message')) as [Outcome]
      return outcome
    },
  }
}

/** Memory of the server in megabytes. */
function rssOf(server: ServerProcess): number {
  const status = readFileSync(`/proc/${server.pid()}/status`, 'utf8')
  return Math.round((Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024) / MEGABYTE)
}
