import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import pg from 'pg'
import { io } from 'socket.io-client'
import { serviceScope } from '../app.js'
import type { ClientSocket } from '../test/helper.js'
import { startPostgres } from '../test/helpers/postgres.js'

// npm run bench:host -- [--quick]: messages that a host stores in its own transactions. How soon they are told, beside sends by the service itself; and what
// those who write in the same chat, and elsewhere, notice of a transaction that stays open. On a PostgreSQL of its own.

const { values } = parseArgs({ options: { quick: { type: 'boolean' } } })
const TIMES = values.quick ? 200 : 2_000
const HOLDS_MS = [0, 10, 100, 1_000, 3_000, 6_000]
const ROUNDS = values.quick ? 1 : 3
const WRITERS = 16
const REST_MS = 20
const SECRET = 'pQ7sM2xW9cV4kZ8nB3yR6tJ1hL5fD0gA'
const SEND = 'SELECT id, seq FROM chat_send_message($1, $2, $3, $4)'

const undo: (() => unknown)[] = []
const teardown = (step: () => unknown) => undo.push(step)

const round = (ms: number) => Number(ms.toFixed(1))
function summary(times: number[]) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) }
}

async function start() {
  const { url } = await startPostgres({ teardown })
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const host = Fastify({ pluginTimeout: 120_000, logger: { level: 'fatal' } })
  const { app } = await serviceScope(host, {
    ...{ nodeEnv: 'test', databaseUrl: url, dataDir, jwtSecret: SECRET, demoData: false, rateLimit: 'off' },
    maxLoopDelayMs: 0,
  })
  teardown(() => host.close())
  await host.listen({ port: 0, host: '127.0.0.1' })
  const { users, log } = app.chat
  const writers = Array.from({ length: WRITERS }, (_, i) => `writer-${i}`)
  const founders = ['host', 'ear', ...writers]
  await users.ensure(founders.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  for (const chatId of ['held', 'held too', 'free'])
    await log.createChat({ type: 'group', chatId, owner: 'host', founders })
  const client = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    teardown(() => client.end())
    return client
  }
  const address = host.server.address() as AddressInfo
  return { log, client, url: `http://127.0.0.1:${address.port}` }
}

type World = Awaited<ReturnType<typeof start>>

/** How long from a write's being asked for until a socket has it, one write after the other. */
async function delivery({ log, client, url }: World): Promise<void> {
  const token = createSigner({ key: SECRET })({ sub: 'ear', exp: Math.floor(Date.now() / 1_000) + 3_600 })
  const socket: ClientSocket = io(url, { auth: { token }, transports: ['websocket'] })
  teardown(() => socket.disconnect())
  await new Promise((resolve) => socket.once('session', resolve))
  const told = () => new Promise((resolve) => socket.once('new_message', resolve))
  const host = await client()
  const writes = {
    async 'the service, send to socket'() {
      const coming = told()
      const from = performance.now()
      await Promise.all([log.append({ chatId: 'held', senderId: 'host', content: 'a message' }), coming])
      return performance.now() - from
    },
    async 'a host, COMMIT to socket'() {
      const coming = told()
      await host.query('BEGIN')
      await host.query(SEND, ['held', 'host', 'a message', null])
      const from = performance.now()
      await Promise.all([host.query('COMMIT'), coming])
      return performance.now() - from
    },
  }
  const table: Record<string, object> = {}
  for (const [name, write] of Object.entries(writes)) {
    for (let i = 0; i < 50; i++) await write()
    const times: number[] = []
    for (let i = 0; i < TIMES; i++) times.push(await write())
    table[name] = summary(times)
  }
  console.log(`\nUntil a socket has it (ms), ${TIMES} one after the other`)
  console.table(table)
  socket.disconnect()
}

/** Half of the writers write in a chat that hosts hold, the others elsewhere; what both notice. */
async function holding({ log, client }: World): Promise<void> {
  const hosts = [await client(), await client()]
  const chatsHeld = ['held', 'held too']
  const table: Record<string, object> = {}
  for (const holders of [1, 2]) {
    for (const holdMs of HOLDS_MS) {
      const times = { held: [] as number[], free: [] as number[] }
      const refused = { held: 0, free: 0 }
      for (let i = 0; i < ROUNDS; i++) {
        let isOver = false
        const loops = Array.from({ length: WRITERS }, async (_, i) => {
          const where = i % 2 === 0 ? 'held' : 'free'
          const chatId = where === 'free' ? where : (chatsHeld[(i / 2) % holders] as string)
          while (!isOver) {
            const from = performance.now()
            const isStored = await log.append({ chatId, senderId: `writer-${i}`, content: 'goes on' }).then(
              () => true,
              () => false,
            )
            if (isStored) times[where].push(performance.now() - from)
            else refused[where] += 1
            await sleep(REST_MS)
          }
        })
        await sleep(200)
        await Promise.all(
          hosts.slice(0, holders).map(async (host, i) => {
            await host.query('BEGIN')
            await host.query(SEND, [chatsHeld[i], 'host', 'is held', null])
            await sleep(holdMs)
            await host.query('COMMIT')
          }),
        )
        await sleep(200)
        isOver = true
        await Promise.all(loops)
      }
      table[`${holders} open for ${holdMs} ms`] = {
        'there p99': summary(times.held).p99,
        'there most': summary(times.held).most,
        'there refused': refused.held,
        'elsewhere p99': summary(times.free).p99,
        'elsewhere most': summary(times.free).most,
        'elsewhere refused': refused.free,
        'elsewhere sends': times.free.length,
      }
    }
  }
  console.log(`\nWriters beside host transactions that stay open (ms), ${WRITERS} writers, ${ROUNDS} times`)
  console.table(table)
}

try {
  const world = await start()
  await delivery(world)
  await holding(world)
} finally {
  for (const step of undo.reverse()) await step()
}
