import { build, onEachDatabase } from '../helper.js'

/** What a service reads of chats that it acts for nobody in. */
onEachDatabase('services read any chat', async (t, database) => {
  const { app, call } = await build(t, { ...database, users: ['alice', 'bob', 'carol'] })
  const { log } = app.chat
  const make = async (historyVisibility: 'all' | 'joined') => {
    const founders = ['alice', 'bob']
    const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders, historyVisibility })
    for (let i = 1; i <= 3; i += 1) await log.append({ chatId, senderId: 'alice', content: `${i}` })
    await log.addMembers(chatId, null, ['carol'])
    return chatId
  }
  const as = 'service'
  const chatIds = [await make('all'), await make('joined')].sort()

  for (const chatId of chatIds) {
    await t.test(`whole, whatever its history is hidden from: ${chatId}`, async (t) => {
      const { status, body } = await call('GET', `/chats/${chatId}`, { as })
      t.equal(status, 200)
      t.match(body.chat, { chatId, lastSeq: 3, revision: 5, lastMessage: { seq: 3, content: '3' } })
      for (const own of ['myRole', 'lastReadSeq', 'unreadCount']) t.notOk(own in body.chat, `${own} is a member's`)
      const page = await call('GET', `/chats/${chatId}/messages?limit=2`, { as })
      t.match(page.body, { messages: [{ seq: 2 }, { seq: 3 }], hasBefore: true, hasAfter: false, revision: 5 })
      const before = await call('GET', `/chats/${chatId}/messages?beforeSeq=2`, { as })
      t.match(before.body, { messages: [{ seq: 1 }], hasBefore: false, hasAfter: true })
      const synced = await call('POST', '/sync', { as, body: { chats: { [chatId]: 0, none: 0 } } })
      t.match(synced.body.chats, { [chatId]: { through: 5, head: 5, more: false }, none: { gone: true } })
      t.equal(synced.body.chats[chatId].changes.length, 5)
      t.match(synced.body.chats[chatId].changes[0].chat, { lastMessage: { seq: 3 } })
      t.equal((await call('GET', `/chats/${chatId}/members`, { as })).body.members.length, 3)
    })
  }

  await t.test('with X-On-Behalf-Of it sees what that user sees', async (t) => {
    for (const chatId of chatIds) {
      const mine = await call('GET', `/chats/${chatId}`, { as, onBehalfOf: 'carol' })
      t.strictSame(mine.body, (await call('GET', `/chats/${chatId}`, { as: 'carol' })).body)
      t.ok('myRole' in mine.body.chat)
    }
    const page = await call('GET', '/chats', { as, onBehalfOf: 'carol' })
    t.strictSame(page.body, (await call('GET', '/chats', { as: 'carol' })).body)
  })

  await t.test('all chats, page by page, each once', async (t) => {
    const seen: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const { status, body } = await call('GET', `/chats?limit=1${after && `&after=${encodeURIComponent(after)}`}`, {
        as,
      })
      t.equal(status, 200)
      for (const chat of body.chats) {
        t.notOk('myRole' in chat)
        seen.push(chat.chatId)
      }
      after = body.nextCursor
    }
    t.strictSame(seen, chatIds)
    t.match(await call('GET', '/chats?cursor=abc', { as }), { status: 400 })
    t.match(await call('GET', '/chats?after=abc', { as: 'alice' }), {
      status: 400,
      body: { error: { details: [{ path: '/after' }] } },
    })
  })

  await t.test('a deleted chat is no chat', async (t) => {
    const [chatId] = chatIds
    await app.db.run('test_delete', 'UPDATE chats SET deleted_at = now() WHERE id = $1', [chatId])
    const paths = [`/chats/${chatId}`, `/chats/${chatId}/messages`]
    for (const path of paths)
      t.match(await call('GET', path, { as }), { status: 404, body: { error: { code: 'NOT_FOUND' } } })
    t.match(await call('POST', '/sync', { as, body: { chats: { [chatId as string]: 0 } } }), {
      body: { chats: { [chatId as string]: { gone: true } } },
    })
    t.strictSame(
      (await call('GET', '/chats', { as })).body.chats.map((chat: { chatId: string }) => chat.chatId),
      chatIds.slice(1),
    )
  })
})
