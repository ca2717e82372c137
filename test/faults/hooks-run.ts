import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../services/db/index.js'
import { createLog } from '../../services/log/index.js'
import type { Logger } from '../../services/logger.js'
import { createUsers } from '../../services/users/index.js'
import { freePort, type Owner, restartPostgres, startPostgres } from '../helpers/postgres.js'
import { RECEIVER_SECRET, serveReceiver } from '../helpers/receiver.js'
import { killPostgres } from './postmaster.js'
import { createRandom } from './random.js'
import { now } from './recorder.js'
import { createServerProcess } from './server.js'

export interface HooksRunOptions {
  /** Revisions that are written at least. */
  revisions: number
  /** Kills of each: the service, the receiver, PostgreSQL. */
  kills: number
  /** Revisions that are written while the receiver is away, for the rate of catching up. */
  backlog: number
  chats: number
  seed: number
  /** Hears how far it is, now and then. */
  say?: (line: string) => void
}

export interface HooksRunResult {
  counts: Record<string, number>
  /** What broke the law. */
  faults: string[]
  said: string
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const WRITERS = 32
/** How long a life lasts between two kills. */
const LIFE_MS = [200, 1_500] as const
const SETTLE_MS = 180_000
/** The share of ranges that a receiver takes and then breaks off, without an answer. */
const CUT_SHARE = 0.02
const SAY_EVERY = 10

/** Writes on and on while the service, the receiver and PostgreSQL are killed; then all that is stored must have been told, in order. */
export async function runHooks(owner: Owner, options: HooksRunOptions): Promise<HooksRunResult> {
  const { revisions, kills, backlog, chats, seed, say = () => {} } = options
  const random = createRandom(seed)
  let cluster = await startPostgres(owner)
  const receiverOptions = { keeps: false, isWhole: true }
  let receiver = await serveReceiver(owner, receiverOptions)
  const port = Number(new URL(receiver.url).port)
  const faults: string[] = []
  const env = { DATABASE_URL: cluster.url, WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: RECEIVER_SECRET, SEARCH: 'false' }
  const server = createServerProcess(await freePort(), env)
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  // Another hand: what it writes the service hears of by looking alone.
  const db = await openDatabase({ databaseUrl: cluster.url, dataDir: '/nonexistent', logger: SILENT })
  owner.teardown(() => db.close())
  const bus = { publish() {} }
  const log = createLog({ db, bus, maxChatsPerUser: 1_000_000, maxMembers: 200, hasSearch: false, logger: SILENT })
  await createUsers(db).ensure([{ userId: 'writer', name: 'Writer', avatarUrl: null }])
  const chatIds: string[] = []
  for (let i = 0; i < chats; i += 1) {
    chatIds.push((await log.createChat({ type: 'group', owner: 'writer', founders: ['writer'] })).chatId)
  }

  let written = 0
  let toWrite = revisions
  const write = async () => {
    while (written < toWrite) {
      const chatId = chatIds[Math.floor(random() ** 3 * chats)] ?? ''
      await log.append({ chatId, senderId: 'writer', content: `${written}` }).then(
        () => {
          written += 1
        },
        () => sleep(50),
      )
    }
  }
  const writeAll = () => Promise.all(Array.from({ length: WRITERS }, write))
  const cutSome = () => {
    receiver.respond = (response) => {
      response.writeHead(200)
      if (random() < CUT_SHARE) response.destroy()
      else response.end()
    }
  }
  const restartReceiver = async () => {
    faults.push(...receiver.faults)
    receiver = await serveReceiver(owner, { ...receiverOptions, port, before: receiver })
    cutSome()
  }
  cutSome()

  const startedAt = now()
  const isWriting = writeAll()
  const killed = { service: 0, receiver: 0, postgres: 0 }
  while (Math.min(...Object.values(killed)) < kills) {
    await sleep(LIFE_MS[0] + random() * (LIFE_MS[1] - LIFE_MS[0]))
    const victims = Object.entries(killed).filter(([, count]) => count < kills)
    const victim = victims[Math.floor(random() * victims.length)]?.[0]
    if (victim === 'service') {
      await server.kill()
      server.spawn()
      killed.service += 1
      if (random() < 0.8) await server.ready().catch(() => {})
    } else if (victim === 'receiver') {
      await receiver.close()
      await sleep(random() * 500)
      await restartReceiver()
      killed.receiver += 1
    } else {
      await killPostgres(cluster, random() < 0.5)
      await sleep(random() * 500)
      cluster = await restartPostgres(cluster)
      killed.postgres += 1
    }
    // A start that found no database has ended by itself.
    if (!server.isRunning()) server.spawn()
    const done = Object.values(killed).reduce((sum, count) => sum + count, 0)
    if (done % SAY_EVERY === 0) say(`${done} kills, ${written} written, ${receiver.revisions} told`)
  }
  for (let tries = 0; tries < 5; tries += 1) {
    if (!server.isRunning()) server.spawn()
    if (
      await server.ready().then(
        () => true,
        () => false,
      )
    )
      break
  }
  await isWriting
  const seconds = (now() - startedAt) / 1_000

  const isSettled = await settles()
  await receiver.close()
  toWrite = written + backlog
  await writeAll()
  await restartReceiver()
  const before = receiver.revisions
  // How long it takes until somebody asks again is another matter.
  for (const end = now() + SETTLE_MS; receiver.revisions === before && now() < end; ) await sleep(1)
  const [backAt, first] = [now(), receiver.revisions]
  const isCaughtUp = await settles()
  const catchUpMs = now() - backAt
  faults.push(...receiver.faults)
  if (!isSettled || !isCaughtUp) faults.push(`not all was told: ${(await missing()).slice(0, 3)}`)

  async function missing(): Promise<string[]> {
    const heads = await log.getHeads(chatIds).catch(() => new Map<string, number>())
    if (heads.size === 0) return ['the heads']
    return [...heads]
      .filter(([chatId, head]) => receiver.through.get(chatId) !== head)
      .map(([chatId, head]) => `${chatId} to ${head}`)
  }

  async function settles(): Promise<boolean> {
    for (const end = now() + SETTLE_MS; now() < end; await sleep(50)) if ((await missing()).length === 0) return true
    return false
  }

  return {
    faults,
    said: server.said(),
    counts: {
      ...Object.fromEntries(Object.entries(killed).map(([victim, count]) => [`kills of ${victim}`, count])),
      written,
      told: receiver.revisions,
      requests: receiver.count,
      seconds: Math.round(seconds),
      'backlog told': receiver.revisions - before,
      'backlog, changes a second': Math.round(((receiver.revisions - first) / catchUpMs) * 1_000),
    },
  }
}
