import type { Test } from 'tap'
import { build, type ClientSocket, connect, must, onEachDatabase, type Service } from '../../helper.js'

const FREQUENT = 5_500
/** More of one and the same moment than a step looks at in a chat. */
const AT_ONCE = 2_500

/** Writes messages into a chat by SQL, spread over the last days; answers nothing: what is there is asked for. */
async function fill({ app }: Service, chatId: string, count: number, content: string, at: string): Promise<void> {
  const { pool } = app.db
  await pool.query(
    `INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at, deleted_at)
    SELECT gen_random_uuid(), c.id, c.last_seq + i, c.revision + i, 'alice', ${content}, ${at}, CASE WHEN i % 97 = 0 THEN now() END
    FROM chats c, generate_series(1, ${count}) i WHERE c.id = $1`,
    [chatId],
  )
  await pool.query(
    `UPDATE chats SET last_seq = last_seq + $2, revision = revision + $2,
      last_activity_at = (SELECT max(created_at) FROM messages WHERE chat_id = $1) WHERE id = $1`,
    [chatId, count],
  )
}

/** Follows the cursors to the end. */
async function readAll(t: Test, socket: ClientSocket, query: string, chatId?: string): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null | undefined
  for (let pages = 0; cursor !== null; pages += 1) {
    const asked = { query, limit: 50, ...(chatId && { chatId }), ...(cursor && { cursor }) }
    const page = await must(socket, 'search_messages', asked)
    ids.push(...page.messages.map(({ id }) => id))
    cursor = page.nextCursor
    if (pages > 2 + FREQUENT / 10) t.fail('the cursors do not end', { query })
  }
  return ids
}

onEachDatabase('a search follows its cursors to every match, newest first', async (t, database) => {
  const service = await build(t, database)
  const { pool } = service.app.db
  const { log } = service.app.chat
  const make = (founders: string[], historyVisibility: 'all' | 'joined' = 'all') =>
    log.createChat({ type: 'group', owner: 'alice', founders, historyVisibility })
  const [one, two, joined, foreign, moment] = [
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
    await make(['alice'], 'joined'),
    await make(['alice', 'carol']),
    await make(['alice', 'dave']),
  ].map(({ chatId }) => chatId) as [string, string, string, string, string]
  const minutes = (each: number, from = 0) =>
    `now() - interval '10 days' + make_interval(mins => ${from} + i * ${each})`
  await fill(
    service,
    one,
    FREQUENT,
    `'common word ' || CASE WHEN i IN (7, 2500) THEN 'rare elsewhere' ELSE '' END`,
    minutes(1),
  )
  await fill(service, two, 700, `'a common one'`, minutes(9, 3))
  await fill(service, joined, 300, `'common before'`, minutes(20))
  await log.addMembers(joined, 'alice', ['bob'])
  await fill(service, joined, 300, `'common after'`, minutes(1, 9_000))
  await fill(service, foreign, FREQUENT, `'elsewhere'`, minutes(1))
  await fill(service, moment, AT_ONCE, `'common at once'`, `date_trunc('hour', now() - interval '1 day')`)
  await pool.query('ANALYZE')

  const expected = async (userId: string, word: string, chatId: string | null = null) => {
    const { rows } = await pool.query<{ id: string }>(
      `SELECT m.id FROM messages m JOIN members b ON b.chat_id = m.chat_id AND b.user_id = $1 JOIN chats c ON c.id = m.chat_id
      WHERE m.deleted_at IS NULL AND content ~ ('\\m' || $2 || '\\M') AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
        AND ($3::text IS NULL OR m.chat_id = $3) ORDER BY m.created_at DESC, m.id DESC`,
      [userId, word, chatId],
    )
    return rows.map(({ id }) => id)
  }

  const { socket: bob } = await connect(t, service, 'bob')
  const { socket: dave } = await connect(t, service, 'dave')
  const cases: [who: string, socket: ClientSocket, what: string, query: string, chatId?: string][] = [
    ['bob', bob, 'a frequent word in some chats', 'common'],
    ['bob', bob, 'the same in one of them', 'common', two],
    ['bob', bob, 'a word that is frequent elsewhere', 'elsewhere'],
    ['bob', bob, 'a rare word', 'rare'],
    ['dave', dave, 'a frequent word of many messages of one moment', 'common'],
  ]
  for (const [who, socket, what, query, chatId] of cases) {
    const found = await readAll(t, socket, query, chatId)
    const wanted = await expected(who, query, chatId ?? null)
    t.ok(wanted.length > 0)
    t.equal(found.length, wanted.length, what)
    t.ok(JSON.stringify(found) === JSON.stringify(wanted), `${what}: in order`)
  }
})
