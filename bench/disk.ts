import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../services/db/index.js'
import { migrate } from '../services/db/migrate.js'
import { createLog, type Log } from '../services/log/index.js'
import { prepareSearch } from '../services/log/search-index.js'
import { createUsers } from '../services/users/index.js'
import { copyMigrationsBefore } from '../test/helpers/migrations.js'
import { startPostgres } from '../test/helpers/postgres.js'
import { createDatabase, query } from './lib/postgres.js'
import { cpuOfTree } from './lib/proc.js'
import { median } from './lib/stats.js'

// npm run bench:disk -- [--messages N] [--chats N] [--before MIGRATION] [--ids short|long]: bytes a message on PostgreSQL's disk, by what holds them, as markdown: as sends leave
// it, and as a REINDEX does; with the migrations below one beside those of today, and the CPU of PostgreSQL for a send of each, in turn within one run.

const { values } = parseArgs({
  options: {
    messages: { type: 'string' },
    chats: { type: 'string' },
    before: { type: 'string' },
    ids: { type: 'string' },
  },
})
const MESSAGES = Number(values.messages ?? 200_000)
const CHATS = Number(values.chats ?? 200)
const USERS = 500
const MEMBERS = 20
const CONTENT_CHARS = 54
const IN_FLIGHT = 64
/** Sends that are metered at once, and how often each side has its turn. */
const TURN = 5_000
const TURNS = 10
const WARM_UP = 10_000

/** What each relation is for. */
const PURPOSE: Record<string, string> = {
  messages: 'the rows',
  chat_log: 'one line a change: delivery, healing, sync',
  messages_once: 'one key of a sender in a chat is one message (before `disk`), and what somebody wrote',
  messages_key: 'one key of a sender in a chat is one message, and what somebody wrote, by hashes',
  messages_words: 'search',
  messages_pkey: 'a message by its id; ids are given once',
  messages_chat_seq: 'history; a seq is one message',
  chat_log_chat_id_revision_pk: 'the log by revision; a revision is one line',
}

const undo: (() => unknown)[] = []
const teardown = (step: () => unknown) => undo.push(step)
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

interface World {
  url: string
  log: Log
  chats: { chatId: string; members: string[] }[]
}

/** Our migrations, or those below one. */
function folderOf(before: string | undefined): string | undefined {
  if (before === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  teardown(() => rmSync(folder, { recursive: true, force: true }))
  copyMigrationsBefore(before, folder)
  return folder
}

async function open(url: string, folder: string | undefined, idOf: (what: string, i: number) => string) {
  const db = await openDatabase({ databaseUrl: url, dataDir: tmpdir(), logger: quiet })
  teardown(() => db.close())
  await migrate(db, folder)
  await prepareSearch(db, true)
  const log = createLog({
    db,
    bus: { publish() {} },
    maxChatsPerUser: 1_000,
    maxMembers: 200,
    hasSearch: true,
    logger: quiet,
  })
  const users = Array.from({ length: USERS }, (_, i) => idOf('u', i))
  await createUsers(db).ensure(users.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const chats = Array.from({ length: CHATS }, (_, i) => ({
    chatId: idOf('c', i),
    members: Array.from({ length: MEMBERS }, (_, k) => users[(i * 7 + k) % USERS] as string),
  }))
  // By the function that older migrations have, too.
  for (const { chatId, members } of chats)
    await db.pool.query(`SELECT log_create_chat($1, 'group', NULL, 'all', NULL, $2, $3, 1000)`, [
      chatId,
      members[0],
      members,
    ])
  return { url, log, chats }
}

const SYLLABLES = 'ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ni no nu'.split(' ')

/** Words, of which few are frequent and many are not, as in any language. */
function contentOf(): string {
  let text = ''
  while (text.length < CONTENT_CHARS) {
    let word = ''
    for (let rank = Math.floor(20_000 ** Math.random()); rank > 0; rank = Math.floor(rank / SYLLABLES.length))
      word += SYLLABLES[rank % SYLLABLES.length]
    text += `${word} `
  }
  return text
    .slice(0, CONTENT_CHARS - 1)
    .replace(/ ?$/, '.')
    .padEnd(CONTENT_CHARS, '.')
}

const pick = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T

/** Keyed messages to random chats, so many in flight. */
async function send({ log, chats }: World, count: number): Promise<void> {
  let left = count
  const loop = async () => {
    while (left-- > 0) {
      const { chatId, members } = pick(chats)
      await log.append({ chatId, senderId: pick(members), content: contentOf(), clientMessageId: randomUUID() })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
}

const SIZES = `
SELECT c.relname AS name, pg_total_relation_size(c.oid) - CASE c.relkind WHEN 'r' THEN pg_indexes_size(c.oid) ELSE 0 END AS bytes
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid IN ('messages'::regclass, 'chat_log'::regclass) OR i.indrelid IN ('messages'::regclass, 'chat_log'::regclass)
ORDER BY c.relkind DESC, 2 DESC`
const HOT = `
SELECT relname AS name, round(100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1), 1) AS hot, pg_table_size(relid) AS bytes
FROM pg_stat_user_tables WHERE relname IN ('chats', 'members') ORDER BY relname`

async function measure(world: World) {
  await send(world, MESSAGES)
  const { url } = world
  // A backend tells what it has counted when it is at rest for a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const hot = await query<{ name: string; hot: string; bytes: string }>(url, HOT)
  for (const table of ['messages', 'chat_log']) await query(url, `VACUUM ${table}`)
  const look = async () =>
    (await query<{ name: string; bytes: string }>(url, SIZES)).map(({ name, bytes }) => ({
      name,
      bytes: Number(bytes) / MESSAGES,
    }))
  const sizes = await look()
  for (const table of ['messages', 'chat_log']) await query(url, `REINDEX TABLE ${table}`)
  return { sizes, packed: await look(), hot }
}

const sum = (sizes: { bytes: number }[]) => sizes.reduce((all, { bytes }) => all + bytes, 0).toFixed(0)

async function report(title: string, world: World): Promise<void> {
  const { sizes, packed, hot } = await measure(world)
  console.log(`\n### ${title}\n\n| relation | bytes a message | after REINDEX | what it is for |\n|---|---|---|---|`)
  for (const { name, bytes } of sizes) {
    const after = packed.find((one) => one.name === name)?.bytes
    console.log(`| ${name} | ${bytes.toFixed(0)} | ${after?.toFixed(0)} | ${PURPOSE[name] ?? ''} |`)
  }
  console.log(`| **all** | **${sum(sizes)}** | **${sum(packed)}** | |\n`)
  for (const { name, hot: share, bytes } of hot)
    console.log(`${name}: ${share} % of updates are HOT, ${Math.round(Number(bytes) / 1024)} KB`)
}

/** µs of PostgreSQL's CPU for a send, of each side in turn. */
async function meter(pid: number, sides: World[]): Promise<number[][]> {
  const costs: number[][] = sides.map(() => [])
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (let k = 0; k < sides.length; k += 1) {
      // Each time another begins.
      const side = (turn + k) % sides.length
      const before = cpuOfTree(pid)
      await send(sides[side] as World, TURN)
      costs[side]?.push((cpuOfTree(pid) - before) / TURN)
    }
  }
  return costs
}

try {
  const cluster = await startPostgres({ teardown })
  const folders = values.before === undefined ? [undefined] : [folderOf(values.before), undefined]
  const kinds = {
    short: (what: string, i: number) => `${what}${i}`,
    long: () => randomUUID(),
  }
  console.log(`${MESSAGES} messages of ${CONTENT_CHARS} characters with keys of 36, in ${CHATS} chats.`)
  for (const [kind, idOf] of Object.entries(kinds)) {
    if (kind !== (values.ids ?? kind)) continue
    const title = kind === 'short' ? 'short ids' : 'ids of 36 characters'
    for (const folder of folders) {
      const world = await open(await createDatabase(cluster), folder, idOf)
      await report(folder === undefined ? title : `${title}, before ${values.before}`, world)
    }
    if (folders.length < 2) continue
    // Of those above the indexes were made anew.
    const sides: World[] = []
    for (const folder of folders) sides.push(await open(await createDatabase(cluster), folder, idOf))
    for (const side of sides) await send(side, WARM_UP)
    const [before, now] = (await meter(cluster.pid, sides)).map((costs) => median(costs))
    const ratio = ((now ?? 0) / (before ?? 1)).toFixed(3)
    console.log(
      `\nA send costs PostgreSQL ${now?.toFixed(0)} µs, and ${before?.toFixed(0)} µs before: ${ratio} × (medians of ${TURNS} turns each)`,
    )
  }
} finally {
  for (const step of undo.splice(0).reverse()) await step()
}
