import { randomUUID } from 'node:crypto'
import { migrate } from '../../../services/db/migrate.js'
import { createModeration } from '../../../services/log/moderation.js'
import { createUsers } from '../../../services/users/index.js'
import { onEachDatabase } from '../../helper.js'
import { migrationsBefore, openOlder } from '../../helpers/older.js'

// While a cluster is upgraded, nodes of the version before go on with the functions that they know.
onEachDatabase('nodes from before moderation go on beside newer ones', async (t, database) => {
  const db = await openOlder(t, database)
  await migrate(db, migrationsBefore(t, '0006'))
  await createUsers(db).ensure(['alice', 'bob'].map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const messageId = randomUUID()
  const call = async (sql: string, ...values: unknown[]) => (await db.pool.query(sql, values)).rows[0]
  const make = async (chatId: string) =>
    call(`SELECT * FROM log_create_chat($1, 'group', NULL, 'all', NULL, 'alice', '{alice,bob}', 1000)`, chatId)
  const chatId = randomUUID()
  t.match(await make(chatId), { chat_id: chatId, created: true })
  const send = async (id: string) => {
    const sends = JSON.stringify([{ ord: 0, id, chat_id: chatId, sender_id: 'bob', content: 'x' }])
    return (await call('SELECT outcomes FROM log_append($1, $2)', [chatId], sends)).outcomes[0][0]
  }
  t.equal(await send(messageId), 'stored')

  await migrate(db)
  const edit = () => call('SELECT * FROM log_edit_message($1, $2, $3)', messageId, 'bob', randomUUID())
  const react = () => call('SELECT * FROM log_react($1, $2, $3, true, 50)', messageId, 'bob', randomUUID())
  t.same(await edit(), { outcome: 'ok', of_chat: chatId })
  t.same(await react(), { outcome: 'ok', of_chat: chatId })
  t.same(await call('SELECT log_update_chat($1, NULL, true, $2, NULL) AS outcome', chatId, 'title'), { outcome: 'ok' })
  t.same(await call('SELECT log_update_chat($1, NULL, false, NULL, NULL, 5, NULL) AS outcome', chatId), {
    outcome: 'ok',
  })
  t.same(await call('SELECT log_update_chat($1, NULL, false, NULL, NULL, 0, NULL) AS outcome', chatId), {
    outcome: 'ok',
  })
  t.match(await make(randomUUID()), { created: true })
  t.equal(await send(randomUUID()), 'stored')
  await call(
    `WITH pinned AS (INSERT INTO pins VALUES ($1, '2026-01-01', $2)), named AS (INSERT INTO mentions VALUES ($1, 1, 'alice', $2))
    UPDATE messages SET pinned_at = '2026-01-01', mentions = '{ "userIds": ["alice"], "everyone": false }' WHERE id = $2`,
    chatId,
    messageId,
  )
  t.same(await call('SELECT * FROM log_delete_message($1, $2)', messageId, 'bob'), { outcome: 'ok', of_chat: chatId })
  const left =
    'SELECT (SELECT count(*)::integer FROM pins) AS pins, (SELECT count(*)::integer FROM mentions) AS mentions'
  t.same(await call(left), { pins: 0, mentions: 0 }, 'what they delete takes along what they do not know')
  await createModeration(db).mute(chatId, null, 'bob', '2100-01-01T00:00:00.000Z')
  t.same(await edit(), { outcome: 'forbidden', of_chat: chatId })
  t.same(await react(), { outcome: 'forbidden', of_chat: chatId })
  t.equal(await send(randomUUID()), 'muted')
})
