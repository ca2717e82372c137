import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { io } from 'socket.io-client'
import { must, next } from '../../scripts/socket.js'
import { openDatabase } from '../../services/db/index.js'
import { tokenOf } from '../faults/server.js'
import type { ClientSocket } from '../helper.js'
import { copyTemplate } from '../helpers/embedded.js'
import { freePort, type Owner, startPostgres } from '../helpers/postgres.js'
import { createProbedServer } from '../probe/index.js'
import { type Case, type Failure, tell } from './cases.js'
import { CHAT_IDS, createWorld, PAIR, PAIR_CHAT, PER_CHAT, USER_IDS } from './world.js'

export type Database = 'postgres' | 'embedded'
export type Arena = Awaited<ReturnType<typeof openArena>>

const MAX_TURN_MS = 200
const MAX_HEAP_GROWTH = 96 * 2 ** 20
const MAX_RSS = 1_024 * 2 ** 20
const MOST_FAILURES = 20
const RESTORE_MS = 1_000

/** Looks for holes in what is numbered: each finds nothing. */
const INVARIANTS: Record<string, string> = {
  'seq is 1, 2, 3 without a hole': `SELECT id FROM chats c WHERE last_seq - first_seq + 1 <> (SELECT count(*) FROM messages m WHERE m.chat_id = c.id AND m.seq >= c.first_seq)
     OR last_seq <> (SELECT coalesce(max(seq), c.first_seq - 1) FROM messages m WHERE m.chat_id = c.id AND m.seq >= c.first_seq)`,
  'a revision is a line of the log': `SELECT id FROM chats c WHERE revision - log_from + 1 <> (SELECT count(DISTINCT revision) FROM chat_log l WHERE l.chat_id = c.id AND l.revision >= c.log_from)
     OR revision <> (SELECT coalesce(max(revision), 0) FROM chat_log l WHERE l.chat_id = c.id)`,
  'the members of groups are counted': `SELECT id FROM chats c WHERE type = 'group' AND member_count <> (SELECT count(*) FROM members m WHERE m.chat_id = c.id)`,
}

/** A server of the run's own with people and chats in it, watched from inside. */
export async function openArena(owner: Owner, database: Database) {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-fuzz-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  if (database === 'embedded') await copyTemplate(dataDir)
  const cluster = database === 'postgres' ? await startPostgres(owner) : undefined
  const failures: Failure[] = []
  const running = new Set<Case>()
  const fail = (law: string, what: string, cases: Case[] = [...running]): void => {
    if (failures.length >= MOST_FAILURES) return
    failures.push({ law, what, cases })
    // At once: what follows may take long, or never end.
    console.log(tell({ law, what, cases }))
  }

  const env = {
    DATA_DIR: dataDir,
    ...(cluster && { DATABASE_URL: cluster.url }),
    CHAT_CREATION: 'users',
    MAX_CHATS_PER_USER: '60',
    MAX_LOOP_DELAY_MS: '0',
    RATE_LIMIT: 'off',
    MAX_SOCKETS_PER_ADDRESS: '0',
    WEB: 'true',
    DOCS: 'true',
  }
  const server = createProbedServer(await freePort(), env, (news) => {
    if ('fault' in news) fail('nothing is left unhandled', news.fault)
    else
      fail(`no turn of the loop takes ${MAX_TURN_MS} ms`, `${Math.round(news.stall.cpuMs)} ms of the thread's own time`)
  })
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()
  const messageIds = await createWorld(server)
  await server.weigh()
  const before = await server.weigh()
  server.watchTurns(MAX_TURN_MS)
  await server.look()

  /** Members leave and are removed all the time; a service brings them back. */
  const restorer = setInterval(() => {
    for (const [i, chatId] of CHAT_IDS.entries()) {
      const userIds = Array.from({ length: PER_CHAT }, (_, k) => USER_IDS[(i * 3 + k) % (USER_IDS.length - 3)])
      void server.call('POST', `/chats/${chatId}/members`, { userIds })
    }
  }, RESTORE_MS)
  owner.teardown(() => clearInterval(restorer))

  async function invariants(): Promise<void> {
    const db = cluster
      ? new pg.Pool({ connectionString: cluster.url })
      : await openDatabase({ dataDir, logger: { debug() {}, info() {}, warn() {}, error() {} } })
    const pool = 'pool' in db ? db.pool : db
    for (const [law, sql] of Object.entries(INVARIANTS)) {
      const { rows } = await pool.query<{ id: string }>(sql)
      if (rows.length > 0) fail(law, rows.map(({ id }) => id).join(', '), [])
    }
    await ('close' in db ? db.close() : db.end())
  }

  return {
    url: server.url,
    messageIds,
    failures,
    fail,
    begin: (one: Case): void => void running.add(one),
    finish: (one: Case): void => void running.delete(one),
    call: server.call,

    /** Whether to go on makes no sense: too much is wrong, or the server is gone. */
    isOver(): boolean {
      if (!server.isRunning()) fail('the process lives', server.said())
      return failures.length >= MOST_FAILURES || !server.isRunning()
    },

    /** Looks whether all is as it was: two people chat, nothing grew, nothing broke, the numbers have no holes. */
    async close(): Promise<Record<string, number>> {
      clearInterval(restorer)
      running.clear()
      if (!server.isRunning()) {
        fail('the process lives', server.said(), [])
        return {}
      }
      await chat(server.url).catch((error) => fail('people chat as before', String(error), []))
      const metrics = await server.text('/metrics')
      const broken = /^chat_refusals_total\{code="INTERNAL"\} ([1-9]\d*)/m.exec(metrics)
      if (broken) fail('nothing broke', `${broken[1]} commands answered INTERNAL: ${server.said()}`, [])
      const { stall } = await server.look()
      const after = await server.weigh()
      if (after.heapUsed > before.heapUsed + MAX_HEAP_GROWTH)
        fail('memory is bounded', `heap ${toMb(before.heapUsed)} → ${toMb(after.heapUsed)} MB`, [])
      if (after.rss > MAX_RSS) fail('memory is bounded', `RSS ${toMb(after.rss)} MB`, [])
      await server.kill()
      await invariants()
      return {
        'longest turn, ms of CPU': Math.round(stall.cpuMs),
        'longest turn, ms by the clock': Math.round(stall.wallMs),
        'heap before, MB': toMb(before.heapUsed),
        'heap after, MB': toMb(after.heapUsed),
        'RSS after, MB': toMb(after.rss),
      }
    },
  }
}

const toMb = (bytes: number) => Math.round(bytes / 2 ** 20)

/** Two stock clients: what one says, the other hears. */
async function chat(url: string): Promise<void> {
  const [one, other] = PAIR.map(
    (userId): ClientSocket => io(url, { auth: { token: tokenOf(userId) }, transports: ['websocket'], forceNew: true }),
  )
  if (!one || !other) return
  try {
    await Promise.all([one, other].map((socket) => next(socket, 'session')))
    const heard = next(other, 'new_message')
    const { message } = await must(one, 'send_message', { chatId: PAIR_CHAT, content: 'still here' })
    if ((await heard).id !== message.id) throw new Error('another message came')
  } finally {
    one.disconnect()
    other.disconnect()
  }
}
