import t from 'tap'
import { build, onEachDatabase } from '../../helper.js'

t.setTimeout(180_000)

// The functions of the log look under a lock, and so never meet these; whoever writes SQL by hand does.
onEachDatabase('what no two rows may share', async (t, database) => {
  const { app, call } = await build(t, database)
  const { body } = await call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  const { chatId } = body.chat
  const sent = await call('POST', `/chats/${chatId}/messages`, {
    as: 'alice',
    body: { content: 'once', clientMessageId: 'key' },
  })
  t.equal(sent.status, 201)
  await call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })

  const copy = (seq: string, key: string) => `
    INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
    SELECT gen_random_uuid(), chat_id, ${seq}, revision + 1, sender_id, ${key}, content, created_at FROM messages`
  const copies = {
    'a key of a sender in a chat': copy('seq + 1', 'client_message_id'),
    'a seq of a chat': copy('seq', 'NULL'),
    'a revision of a chat': 'INSERT INTO chat_log SELECT * FROM chat_log',
    'a member of a chat': 'INSERT INTO members SELECT * FROM members',
    'a pair of a direct chat': `
      INSERT INTO chats (id, type, direct_key, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
      SELECT 'another', type, direct_key, history_visibility, 0, 1, 0, now(), now() FROM chats WHERE direct_key IS NOT NULL`,
  }
  for (const [what, sql] of Object.entries(copies)) {
    await t.rejects(app.db.pool.query(sql), { code: '23505' }, what)
  }
})
