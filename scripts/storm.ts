import { randomBytes, randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSigner } from 'fast-jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { serviceScope } from '../app.js'
import { check } from './storm/check.js'
import { createRandom, createStormClient, type Random } from './storm/client.js'
import { type History, readChats } from './storm/history.js'

export interface StormOptions {
  seconds?: number
  clients?: number
  chats?: number
  seed?: number
  /** Unset, the embedded database. */
  databaseUrl?: string | undefined
  /** Of the embedded database; unset, a folder that goes with the storm. */
  dataDir?: string | undefined
}

const QUIET_MS = 60_000
const CHANGE_EVERY_MS = 40
const CHANGERS = 4

/**
 * Stock clients that come, go and send at random in chats whose members come and go at random, then a look whether all of them
 * saw what the database says: counts, the seed, and the first breach of the laws of the log, or null.
 */
export async function storm(options: StormOptions = {}) {
  const { seconds = 60, clients: size = 100, chats = 8, seed = randomInt(2 ** 31) } = options
  const random = createRandom(seed)
  const node = await start(options)
  const counts: Record<string, number> = {}
  const history: History = { chats: new Map(), views: [], sends: [] }
  const userIds = Array.from({ length: size }, (_, i) => `u${i}`)
  let clients: ReturnType<typeof createStormClient>[] = []
  try {
    await node.app.chat.users.ensure(userIds.map((userId) => ({ userId, name: userId, avatarUrl: null })))
    const chatIds = Array.from({ length: chats }, (_, i) => `storm-${i}`)
    for (const chatId of chatIds) await node.makeChat(chatId, some(userIds, random))

    clients = userIds.map((userId, i) =>
      createStormClient({
        ...history,
        ...node,
        userId,
        token: node.token(userId),
        chatIds,
        counts,
        random: createRandom(seed + i + 1),
      }),
    )
    const end = Date.now() + seconds * 1_000
    const change = async (): Promise<void> => {
      for (; Date.now() < end; await sleep(random.below(2 * CHANGE_EVERY_MS))) {
        const [chatId, userId, chance] = [random.pick(chatIds), random.pick(userIds), random.next()]
        // Both at once: the chat's lock says which is first.
        await Promise.all([chance < 0.65 && node.remove(chatId, userId), chance > 0.35 && node.add(chatId, userId)])
      }
    }
    await Promise.all(Array.from({ length: CHANGERS }, change))
    await Promise.all(clients.map((client) => client.stop()))
    await quiet(node.app, history, clients)
    history.chats = await readChats(node.app.db)
    const broken = counts.INTERNAL === undefined ? null : `${counts.INTERNAL} sends were answered INTERNAL`
    return { seed, ...sum(history), ...counts, breach: check(history) ?? broken }
  } finally {
    for (const client of clients) client.close()
    await node.stop()
  }
}

function some(userIds: string[], random: Random): string[] {
  const chosen = userIds.filter(() => random.next() < 0.3)
  return chosen.length > 0 ? chosen : userIds.slice(0, 1)
}

function sum({ chats, views, sends }: History) {
  const lines = [...chats.values()].flatMap(({ lines }) => lines)
  const count = (kind: string) => lines.filter((line) => line.kind === kind).length
  return {
    connections: views.length,
    deliveries: views.reduce((total, { told }) => total + told.length, 0),
    sends: sends.length,
    acked: sends.filter(({ acked }) => acked).length,
    refused: sends.filter(({ refused }) => refused !== null).length,
    unanswered: sends.filter(({ acked, refused }) => !acked && refused === null).length,
    stored: count('message_created'),
    added: count('member_added'),
    removed: count('member_removed'),
  }
}

/** Waits until every client is connected and has all that its chats hold; not for ever: what is missing then is for the check to tell. */
async function quiet(app: FastifyInstance, { views }: History, clients: { isConnected(): boolean }[]): Promise<void> {
  for (const end = Date.now() + QUIET_MS; Date.now() < end; await sleep(100)) {
    if (!clients.every((client) => client.isConnected())) continue
    const chats = await readChats(app.db)
    const isHome = ({ userId, at, open }: History['views'][number]) =>
      !open ||
      [...chats].every(
        ([chatId, { lines, members }]) => at.get(chatId) === (members.includes(userId) ? lines.length : undefined),
      )
    if (views.every(isHome)) return
  }
}

/** A node of the service on a free port and a fresh database, or a fresh schema of the one given. */
async function start({ databaseUrl, dataDir }: StormOptions) {
  const jwtSecret = randomBytes(32).toString('hex')
  const apiKey = randomBytes(32).toString('hex')
  const folder = mkdtempSync(join(tmpdir(), 'chat-storm-'))
  const databaseSchema = `storm_${randomBytes(6).toString('hex')}`
  const host = Fastify({ pluginTimeout: 120_000, logger: { level: process.env.LOG_LEVEL ?? 'silent' } })
  const database = databaseUrl ? { databaseUrl, databaseSchema } : { dataDir: dataDir ?? folder }
  const settings = { jwtSecret, serviceApiKeys: apiKey, drainMs: 100, ...database }
  const { app } = await serviceScope(host, { nodeEnv: 'test', rateLimit: 'off', maxSocketsPerAddress: 0, ...settings })
  await host.listen({ port: 0, host: '127.0.0.1' })
  const sign = createSigner({ key: jwtSecret, algorithm: 'HS256' })

  async function call(method: 'POST' | 'DELETE', url: string, payload?: object): Promise<void> {
    const response = await host.inject({ method, url, headers: { 'x-api-key': apiKey }, ...(payload && { payload }) })
    if (response.statusCode >= 400) throw new Error(`${method} ${url}: ${response.body}`)
  }

  return {
    app,
    url: `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`,
    token: (userId: string) => sign({ sub: userId, exp: Math.floor(Date.now() / 1_000) + 3_600 }),
    makeChat: (chatId: string, memberIds: string[]) => call('POST', '/chats', { type: 'group', chatId, memberIds }),
    add: (chatId: string, userId: string) => call('POST', `/chats/${chatId}/members`, { userIds: [userId] }),
    remove: (chatId: string, userId: string) => call('DELETE', `/chats/${chatId}/members/${userId}`),
    async stop(): Promise<void> {
      if (databaseUrl) await app.db.pool.query(`DROP SCHEMA "${databaseSchema}" CASCADE`)
      await host.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      clients: { type: 'string' },
      seed: { type: 'string' },
      'database-url': { type: 'string' },
    },
  })
  const { breach, ...counts } = await storm({
    seconds: Number(values.seconds ?? (values.quick ? 12 : 60)),
    clients: Number(values.clients ?? 100),
    databaseUrl: values['database-url'],
    ...(values.seed !== undefined && { seed: Number(values.seed) }),
  })
  console.log(counts)
  console.log(breach === null ? '✅ every law held' : `❌ ${breach}`)
  process.exitCode = breach === null ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
