import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { build, type Service, tempDir, until } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

// Law 8: whoever changes a chat locks its row first and looks second. Here a second node holds the lock and changes something before
// it lets go: what waited for the lock must see the change. A form that looked with the snapshot from before the wait stored the
// message of a removed member, and failed a whole batch on a duplicate.
t.test('what waits for a chat’s lock sees what its holder did', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl, dataDir: tempDir(t) })
  const holder = new pg.Client({ connectionString: databaseUrl })
  await holder.connect()
  t.teardown(() => holder.end())

  for (const [what, { holds, calls, wants }] of Object.entries(CASES)) {
    const chat = await makeChat(service)
    await holder.query('BEGIN')
    await holder.query(...holds(chat))
    let settled = false
    const call = calls(chat, service).finally(() => {
      settled = true
    })
    await until('it waits for the lock', async () => settled || (await isWaiting(service)))
    t.notOk(settled, `${what}: it waits`)
    await holder.query('COMMIT')
    t.match(await call, wants(chat), what)
    const { rows } = await service.app.db.pool.query(HOLES, [chat.chatId])
    t.same(rows, [{ seqs: true, revisions: true, members: true }], `${what}: the log has no hole`)
  }
})

t.test('what waits for a user sees where its holder put them', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl, dataDir: tempDir(t), maxChatsPerUser: 2 })
  const { app, call } = service
  const holder = new pg.Client({ connectionString: databaseUrl })
  await holder.connect()
  t.teardown(() => holder.end())

  /** Another node puts dave in a chat of bob's, and has not committed yet when the call is made. */
  async function meanwhile(make: () => Promise<Answer>): Promise<Answer> {
    const made = await call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds: ['bob'] } })
    await holder.query('BEGIN')
    await holder.query('SELECT log_add_members($1, NULL, $2, 2)', [made.body.chat.chatId, ['dave']])
    let settled = false
    const answer = make().finally(() => {
      settled = true
    })
    await until('it waits for the lock', async () => settled || (await isWaiting(service)))
    await holder.query('COMMIT')
    return answer
  }
  const chatsOf = async (userId: string) => (await app.chat.log.getChatsOf([userId])).get(userId)?.length

  await call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds: ['dave'] } })
  const third = { as: 'service', body: { type: 'group', memberIds: ['carol', 'dave'] } }
  t.match(
    await meanwhile(() => call('POST', '/chats', third)),
    { status: 409, body: { error: { code: 'LIMIT_REACHED' } } },
    'a chat too many',
  )
  t.equal(await chatsOf('dave'), 2)

  await app.db.pool.query(`DELETE FROM members WHERE user_id IN ('dave', 'bob')`)
  t.match(await meanwhile(() => call('DELETE', '/users/dave', { as: 'service' })), { status: 200 }, 'a deletion')
  t.equal(await chatsOf('dave'), 0, 'who is deleted is in no chat')
})

interface Chat {
  chatId: string
  /** A message of bob's. */
  messageId: string
}

type Answer = Awaited<ReturnType<Service['call']>>
const NOT_FOUND = () => ({ status: 404, body: { error: { code: 'NOT_FOUND' } } })

const REFUSED = (reason: string) => ({ status: 403, body: { error: { code: 'FORBIDDEN', details: { reason } } } })

const removes =
  (userId: string) =>
  ({ chatId }: Chat): [string, unknown[]] => ['SELECT log_remove_member($1, NULL, $2)', [chatId, userId]]
const adds =
  (userId: string) =>
  ({ chatId }: Chat): [string, unknown[]] => ['SELECT log_add_members($1, NULL, $2, 100)', [chatId, [userId]]]
const demotes =
  (userId: string, role: string) =>
  ({ chatId }: Chat): [string, unknown[]] => ['SELECT log_set_role($1, NULL, $2, $3)', [chatId, userId, role]]

const HELD_ID = randomUUID()
const sends =
  (content: string, clientMessageId: string | null) =>
  ({ chatId }: Chat): [string, unknown[]] => {
    const send = { ord: 0, id: clientMessageId ? HELD_ID : randomUUID(), chat_id: chatId, sender_id: 'bob', content }
    return [
      'SELECT * FROM log_append($1, $2)',
      [[send.chat_id], JSON.stringify([{ ...send, client_message_id: clientMessageId }])],
    ]
  }

const send =
  (as: string, body: object) =>
  ({ chatId }: Chat, { call }: Service): Promise<Answer> =>
    call('POST', `/chats/${chatId}/messages`, { as, body })
const onMessage =
  (method: 'PATCH' | 'PUT' | 'DELETE', path: string, body?: object) =>
  ({ messageId }: Chat, { call }: Service): Promise<Answer> =>
    call(method, `/messages/${messageId}${path}`, { as: 'bob', ...(body && { body }) })
const onChat =
  (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, as: string, body?: object) =>
  ({ chatId }: Chat, { call }: Service): Promise<Answer> =>
    call(method, `/chats/${chatId}${path}`, { as, ...(body && { body }) })

interface Case {
  holds(chat: Chat): [string, unknown[]]
  calls(chat: Chat, service: Service): Promise<Answer>
  wants(chat: Chat): object
}

const CASES: Record<string, Case> = {
  'a removed member sends': { holds: removes('bob'), calls: send('bob', { content: 'late' }), wants: NOT_FOUND },
  'a new member sends': {
    holds: adds('dave'),
    calls: send('dave', { content: 'early' }),
    wants: () => ({ status: 201, body: { message: { seq: 2, revision: 4 } } }),
  },
  'the same key came over another node': {
    holds: sends('once', 'key'),
    calls: send('bob', { content: 'once', clientMessageId: 'key' }),
    wants: () => ({ status: 200, body: { duplicate: true, message: { id: HELD_ID, seq: 2 } } }),
  },
  'another message came first': {
    holds: sends('first', null),
    calls: send('bob', { content: 'second' }),
    wants: () => ({ status: 201, body: { message: { seq: 3, revision: 4 } } }),
  },
  'a removed member edits': {
    holds: removes('bob'),
    calls: onMessage('PATCH', '', { content: 'late' }),
    wants: NOT_FOUND,
  },
  'a removed member reacts': { holds: removes('bob'), calls: onMessage('PUT', '/reactions/x'), wants: NOT_FOUND },
  'a removed member deletes': { holds: removes('bob'), calls: onMessage('DELETE', ''), wants: NOT_FOUND },
  'an edit after the same edit': {
    holds: ({ messageId }) => ['SELECT log_edit_message($1, $2, $3)', [messageId, 'bob', 'new']],
    calls: onMessage('PATCH', '', { content: 'new' }),
    wants: () => ({ status: 200, body: { message: { revision: 3, content: 'new' } } }),
  },
  'a removed member pins the chat': {
    holds: removes('bob'),
    calls: onChat('PUT', '/settings', 'bob', { isPinned: true }),
    wants: NOT_FOUND,
  },
  'two devices set different settings': {
    holds: ({ chatId }) => [`SELECT log_set_chat_settings('bob', $1, false, NULL, true, NULL, NULL, NULL)`, [chatId]],
    calls: onChat('PUT', '/settings', 'bob', { isArchived: true }),
    wants: () => ({ status: 200, body: { settings: { isPinned: true, isArchived: true } } }),
  },
  'a removed owner adds': {
    holds: removes('alice'),
    calls: onChat('POST', '/members', 'alice', { userIds: ['dave'] }),
    wants: NOT_FOUND,
  },
  'two add the same': {
    holds: adds('dave'),
    calls: onChat('POST', '/members', 'alice', { userIds: ['dave'] }),
    wants: () => ({ status: 200, body: { chat: { revision: 3, memberCount: 4 } } }),
  },
  'two remove the same': {
    holds: removes('carol'),
    calls: onChat('DELETE', '/members/carol', 'alice'),
    wants: () => ({ status: 200, body: { chat: { revision: 3, memberCount: 2 } } }),
  },
  'an admin who no longer is one changes the title': {
    holds: demotes('carol', 'member'),
    calls: onChat('PATCH', '', 'carol', { title: 'mine' }),
    wants: () => ({ status: 403, body: { error: { code: 'FORBIDDEN' } } }),
  },
  'a muted member sends': {
    holds: ({ chatId }) => [`SELECT log_mute_member($1, NULL, 'bob', '2100-01-01')`, [chatId]],
    calls: send('bob', { content: 'late' }),
    wants: () => REFUSED('muted'),
  },
  'a muted member reacts': {
    holds: ({ chatId }) => [`SELECT log_mute_member($1, NULL, 'bob', '2100-01-01')`, [chatId]],
    calls: onMessage('PUT', '/reactions/x'),
    wants: () => REFUSED('muted'),
  },
  'a member sends to a chat that is frozen': {
    holds: ({ chatId }) => ['SELECT log_update_chat($1, NULL, false, NULL, NULL, NULL, true)', [chatId]],
    calls: send('bob', { content: 'late' }),
    wants: () => REFUSED('frozen'),
  },
  'a banned user is added': {
    holds: ({ chatId }) => [`SELECT log_ban_member($1, NULL, 'dave', 10)`, [chatId]],
    calls: onChat('POST', '/members', 'alice', { userIds: ['dave'] }),
    wants: () => ({ status: 409, body: { error: { details: { reason: 'banned', userIds: ['dave'] } } } }),
  },
  'the heir of the last owner is found anew': {
    holds: removes('carol'),
    calls: onChat('POST', '/leave', 'alice'),
    wants: () => ({ status: 200, body: { chat: { revision: 5, memberCount: 1 } } }),
  },
}

/** A group of alice (owner), bob and carol (admin) in which bob wrote once. */
async function makeChat({ app, call }: Service): Promise<Chat> {
  const made = await call('POST', '/chats', {
    as: 'service',
    body: { type: 'group', memberIds: ['alice', 'bob', 'carol'] },
  })
  const { chatId } = made.body.chat
  await app.db.pool.query(`UPDATE members SET role = 'admin' WHERE chat_id = $1 AND user_id = 'carol'`, [chatId])
  const sent = await call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'old' } })
  return { chatId, messageId: sent.body.message.id }
}

async function isWaiting({ app }: Service): Promise<boolean> {
  const { rows } = await app.db.pool.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%log\\_%'`,
  )
  return rows.length > 0
}

const HOLES = `
SELECT c.last_seq = (SELECT count(*) FROM messages WHERE chat_id = c.id) AS seqs,
  c.revision = (SELECT count(*) FROM chat_log WHERE chat_id = c.id) AS revisions,
  c.member_count = (SELECT count(*) FROM members WHERE chat_id = c.id) AS members
FROM chats c WHERE c.id = $1`
