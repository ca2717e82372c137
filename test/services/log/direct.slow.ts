import type { ChatType } from '../../../contract/shapes.js'
import { migrate } from '../../../services/db/migrate.js'
import { createChanges } from '../../../services/log/changes.js'
import { createUsers } from '../../../services/users/index.js'
import { build, collect, connect, must, next, onEachDatabase, until } from '../../helper.js'
import { createOlderChat, migrationsBefore, openOlder } from '../../helpers/older.js'

const KNOWN = ['alice', 'bob', 'carol']
const NO_LIMIT = 1_000

onEachDatabase('a direct chat counts its pair', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users', users: KNOWN })
  const { call, app } = service
  const { log, users } = app.chat
  const direct = (as: string, other: string) =>
    call('POST', '/chats', { as, body: { type: 'direct', memberIds: [other] } }).then(({ body }) => body)
  const put = (userId: string) => users.put({ userId, name: userId, avatarUrl: null })

  await t.test('whether or not the other is a user, in every answer', async (t) => {
    // What broke: with an unknown user it counted 1, with a known one 2, and so told anybody who exists.
    const { socket } = await connect(t, service, 'alice')
    const added = collect(socket, 'chat_added')
    const others = ['bob', 'nobody', 'ghost']
    const chatIds: string[] = []
    for (const other of others) {
      const { chat } =
        other === 'ghost'
          ? await must(socket, 'create_chat', { type: 'direct', memberIds: [other] })
          : await direct('alice', other)
      t.equal(chat.memberCount, 2, `create_chat with ${other}`)
      chatIds.push(chat.chatId)
      t.match(await direct('alice', other), {
        created: false,
        chat: { chatId: chat.chatId, memberCount: 2, revision: 1 },
      })
      t.match(await must(socket, 'get_chat', { chatId: chat.chatId }), { chat: { memberCount: 2 } })
      t.match(await call('GET', `/chats/${chat.chatId}`, { as: 'alice' }), { body: { chat: { memberCount: 2 } } })
    }
    const counts = (chats: { memberCount: number }[]) => chats.map(({ memberCount }) => memberCount)
    await until('alice heard of all', () => added.length === others.length)
    t.same(counts(added), [2, 2, 2], 'chat_added')
    t.same(counts((await must(socket, 'list_chats', {})).chats), [2, 2, 2], 'list_chats')
    t.same(counts((await call('GET', '/chats', { as: 'alice' })).body.chats), [2, 2, 2], 'GET /chats')
    t.same(counts((await connect(t, service, 'alice')).session.chats), [2, 2, 2], 'session')
    const { chats } = await must(socket, 'sync', { chats: Object.fromEntries(chatIds.map((chatId) => [chatId, 0])) })
    const told = Object.values(chats).flatMap((page) => ('changes' in page ? page.changes : []))
    t.same(counts(told.flatMap(({ chat }) => chat ?? [])), [2, 2, 2], 'sync')
    t.match((await direct('alice', 'alice')).chat, { memberCount: 1 }, 'with oneself it is one')
  })

  await t.test('and who comes later is not counted twice', async (t) => {
    const { chat } = await direct('alice', 'late')
    const { socket } = await connect(t, service, 'alice')
    await put('late')
    const heard = next(socket, 'member_changed', ({ user }) => user.userId === 'late')
    t.match(await direct('late', 'alice'), {
      created: false,
      chat: { chatId: chat.chatId, memberCount: 2, revision: 2 },
    })
    t.match(await heard, { removed: false, revision: 2 })
    t.match(await direct('alice', 'late'), { chat: { memberCount: 2, revision: 2 } })
    t.equal((await log.listMembers(null, chat.chatId, undefined)).members.length, 2)
  })

  await t.test('a deletion takes one off, and who comes back is counted again', async (t) => {
    const { chat } = await direct('alice', 'carol')
    await call('DELETE', '/users/carol', { as: 'service' })
    t.match(await direct('alice', 'carol'), { chat: { chatId: chat.chatId, memberCount: 1 } })
    await put('carol')
    t.match(await direct('alice', 'carol'), { chat: { chatId: chat.chatId, memberCount: 2 } })

    await put('dave')
    const { chat: early } = await direct('dave', 'unborn')
    await call('DELETE', '/users/dave', { as: 'service' })
    await put('unborn')
    t.match(await direct('unborn', 'dave'), { chat: { chatId: early.chatId, memberCount: 1 } }, 'who came late, alone')
    await put('dave')
    t.match(await direct('unborn', 'dave'), { chat: { chatId: early.chatId, memberCount: 2 } })
  })

  await t.test('another chat’s id lets nobody into that chat', async (t) => {
    // What broke: a direct chat asked for under the id of a group put its pair into the group.
    const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice'] })
    const body = { type: 'direct', chatId, memberIds: ['bob', 'carol'] }
    t.match(await call('POST', '/chats', { as: 'service', body }), { status: 409 })
    t.match(await log.getChat(chatId), { memberCount: 1, revision: 1 })
  })
})

onEachDatabase('direct chats of an older version are counted as new ones', async (t, database) => {
  const db = await openOlder(t, database)
  await migrate(db, migrationsBefore(t, '0005'))
  const users = createUsers(db)
  const changes = createChanges(db, NO_LIMIT)
  await users.ensure(KNOWN.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const create = (type: ChatType, founders: string[]) => createOlderChat(db, type, founders)
  const make = (founders: string[]) => create('direct', founders)
  const made = {
    known: await make(['alice', 'bob']),
    unknown: await make(['alice', 'nobody']),
    self: await make(['alice', 'alice']),
    deleted: await make(['alice', 'carol']),
    group: await create('group', ['alice', 'nobody']),
  }
  await changes.deleteUser('carol')
  const counts = async () => {
    const rows = await db.run<{ id: string; member_count: number }>('counts', 'SELECT id, member_count FROM chats', [])
    const of = new Map(rows.map(({ id, member_count }) => [id, member_count]))
    return Object.fromEntries(Object.entries(made).map(([name, { of_chat }]) => [name, of.get(of_chat)]))
  }
  t.same(await counts(), { known: 2, unknown: 1, self: 1, deleted: 1, group: 1 })
  await migrate(db)
  t.same(await counts(), { known: 2, unknown: 2, self: 1, deleted: 1, group: 1 })
})
