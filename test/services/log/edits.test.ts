import { randomUUID } from 'node:crypto'
import { build, connect, must, next, onEachDatabase } from '../../helper.js'

const NOBODY = { userIds: [], everyone: false }

onEachDatabase('what of a message is edited', async (t, database) => {
  const service = await build(t, database)
  const { app, call } = service
  const { log } = app.chat
  const made = await call('POST', '/chats', {
    as: 'service',
    body: { type: 'group', memberIds: ['alice', 'bob', 'carol'] },
  })
  const { chatId } = made.body.chat
  const send = async (senderId: string) =>
    (await log.append({ chatId, senderId, content: 'x', metadata: { a: 1 } })).message
  const edit = (as: string, id: string, body: object) => call('PATCH', `/messages/${id}`, { as, body })
  const rowsOf = async (id: string) => {
    const { rows } = await app.db.pool.query('SELECT user_id FROM mentions WHERE message_id = $1 ORDER BY 1', [id])
    return rows.map(({ user_id }) => user_id)
  }

  await t.test('each field by itself, and equal data changes nothing', async (t) => {
    const message = await send('bob')
    const { socket } = await connect(t, service, 'carol')
    const told = next(socket, 'message_updated')
    const first = await edit('bob', message.id, { metadata: { b: [1, { c: null }] } })
    t.match(first.body.message, {
      content: 'x',
      metadata: { b: [1, { c: null }] },
      editedAt: String,
      revision: message.revision + 1,
    })
    t.same(await told, first.body.message)
    for (const same of [
      { metadata: { b: [1.0, { c: null }] } },
      { content: 'x' },
      { mentions: {} },
      { mentions: { userIds: ['dave'], everyone: true } },
      { content: 'x', mentions: NOBODY, metadata: { b: [1, { c: null }] } },
    ]) {
      t.same(await edit('bob', message.id, same), first, JSON.stringify(same))
    }
    const second = await edit('bob', message.id, { content: 'y' })
    t.match(second.body.message, { content: 'y', metadata: { b: [1, { c: null }] }, revision: message.revision + 2 })
    t.match((await edit('bob', message.id, { metadata: null })).body.message, { content: 'y', metadata: null })
    t.match(await edit('bob', message.id, {}), { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } })
    t.match(await edit('alice', message.id, { metadata: {} }), { status: 403 })
  })

  await t.test('content goes where metadata stays', async (t) => {
    const message = await send('bob')
    const empty = {
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: [{ path: '/content', message: String }] } },
    }
    t.match(await edit('bob', message.id, { content: null, metadata: null }), empty)
    t.match((await edit('bob', message.id, { content: null })).body.message, { content: null, metadata: { a: 1 } })
    t.match(await edit('bob', message.id, { metadata: null }), empty)
    t.match((await edit('bob', message.id, { metadata: null, content: 'z' })).body.message, { content: 'z' })
    t.match(await log.getMessage('bob', message.id), { content: 'z', metadata: null, deletedAt: null })
  })

  await t.test('mentions are of members, and everyone where that is theirs to say', async (t) => {
    const message = await send('bob')
    const named = await edit('bob', message.id, {
      mentions: { userIds: ['carol', 'dave', 'alice', 'carol'], everyone: true },
    })
    t.match(named.body.message, {
      mentions: { userIds: ['carol', 'alice'], everyone: false },
      editedAt: String,
      revision: message.revision + 1,
    })
    t.same(named.body.message.mentions.userIds, ['carol', 'alice'])
    t.same(await rowsOf(message.id), ['alice', 'carol'])
    t.same(await edit('bob', message.id, { mentions: { userIds: ['carol', 'alice', 'dave'] } }), named, 'the same')
    t.same((await edit('bob', message.id, { mentions: { userIds: ['carol'] } })).body.message.mentions.userIds, [
      'carol',
    ])
    t.same(await rowsOf(message.id), ['carol'])
    t.same((await edit('bob', message.id, { content: 'y' })).body.message.mentions.userIds, ['carol'], 'they stay')
    t.same((await edit('bob', message.id, { mentions: {} })).body.message.mentions, NOBODY)
    t.same(await rowsOf(message.id), [])

    const owners = await send('alice')
    const all = await edit('alice', owners.id, { mentions: { everyone: true } })
    t.same(all.body.message.mentions, { userIds: [], everyone: true })
    t.same(await rowsOf(owners.id), [''])
    const direct = await call('POST', '/chats', { as: 'service', body: { type: 'direct', memberIds: ['bob', 'dave'] } })
    const said = (await log.append({ chatId: direct.body.chat.chatId, senderId: 'dave', content: 'x' })).message
    t.match((await edit('dave', said.id, { mentions: { everyone: true } })).body.message.mentions, { everyone: true })
  })

  await t.test('a deletion takes all of it', async (t) => {
    const { socket } = await connect(t, service, 'alice')
    for (const erase of [(id: string) => log.delete('alice', id), () => log.askErasure('alice').then(log.clear)]) {
      const message = await send('alice')
      await must(socket, 'edit_message', { messageId: message.id, mentions: { userIds: ['bob'], everyone: true } })
      await must(socket, 'pin_message', { messageId: message.id })
      const uploadId = randomUUID()
      await app.db.pool.query(
        `INSERT INTO uploads (id, chat_id, user_id, name, mime_type, size, created_at, stored_at, message_id)
         VALUES ($1, $2, 'alice', 'a.png', 'image/png', 1, now(), now(), $3)`,
        [uploadId, chatId, message.id],
      )
      await app.db.pool.query(`UPDATE messages SET attachments = '[{}]' WHERE id = $1`, [message.id])
      const gone = next(socket, 'message_deleted', ({ id }) => id === message.id)
      await erase(message.id)
      t.match(await gone, { content: null, metadata: null, mentions: NOBODY, pinnedAt: null, reactions: [] })
      const { rows } = await app.db.pool.query(
        `SELECT content, metadata, mentions, attachments, pinned_at, NOT EXISTS (SELECT FROM uploads WHERE id = $2 AND dropped_at IS NULL) AS dropped,
          (SELECT count(*)::integer FROM pins WHERE message_id = m.id) AS pins FROM messages m WHERE id = $1`,
        [message.id, uploadId],
      )
      const left = { content: null, metadata: null, mentions: null, attachments: null, pinned_at: null }
      t.same(rows, [{ ...left, dropped: true, pins: 0 }])
      t.same(await rowsOf(message.id), [])
    }
  })

  await t.test('who came later is told of the place alone', async (t) => {
    const joined = await call('POST', '/chats', {
      as: 'service',
      body: { type: 'group', memberIds: ['alice', 'bob'], historyVisibility: 'joined' },
    })
    const old = (await log.append({ chatId: joined.body.chat.chatId, senderId: 'alice', content: 'x' })).message
    await log.addMembers(joined.body.chat.chatId, null, ['carol'])
    const { socket } = await connect(t, service, 'carol')
    const told = next(socket, 'message_updated')
    await edit('alice', old.id, { content: 'secret', metadata: { secret: 1 }, mentions: { userIds: ['carol', 'bob'] } })
    t.match(await told, { id: old.id, content: null, metadata: null, mentions: NOBODY })
    t.same((await told).mentions.userIds, [])
  })
})
