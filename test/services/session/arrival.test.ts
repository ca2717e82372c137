import t from 'tap'
import { createArrivals } from '../../../services/session/arrivals.js'
import { createArrive } from '../../../services/session/arrive.js'
import type { Identity } from '../../../services/session/identify.js'
import { build, client, collect, connect, next, onEachDatabase, type Service, until } from '../../helper.js'

/** Lets something happen right after chats were read, by default those of the next to arrive, and before they are told. */
function meanwhile(
  { app }: Service,
  happen: () => Promise<unknown>,
  name: 'getChatsOf' | 'getChatFor' | 'readChanges' = 'getChatsOf',
) {
  const log: Record<string, unknown> & { [read in typeof name]: unknown } = app.chat.log
  const read = log[name] as (...args: unknown[]) => Promise<unknown>
  let happened: Promise<unknown> | undefined
  const mine = async (...args: unknown[]) => {
    const chats = await read(...args)
    happened ??= happen().finally(() => {
      if (log[name] === mine) log[name] = read
    })
    await happened
    return chats
  }
  log[name] = mine
}

// Nobody here serves the chat yet, so what the Log publishes meanwhile finds no one to tell: the Feed looks again.
onEachDatabase('what happens while somebody arrives reaches them', async (t, database) => {
  const service = await build(t, database)
  const { call } = service
  async function makeChat(): Promise<string> {
    const made = await call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds: ['alice', 'bob'] } })
    return made.body.chat.chatId
  }

  await t.test('a message', async (t) => {
    const chatId = await makeChat()
    meanwhile(service, () => call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'now' } }))
    const socket = client(t, service, 'bob')
    const session = next(socket, 'session')
    const told = next(socket, 'new_message', (message) => message.chatId === chatId)
    socket.connect()
    const revision = (await session).chats.find((chat) => chat.chatId === chatId)?.revision as number
    t.match(await told, { content: 'now', revision: revision + 1 })
  })

  await t.test('a chat that they came into', async (t) => {
    let chatId = ''
    meanwhile(service, async () => {
      chatId = await makeChat()
    })
    const socket = client(t, service, 'bob')
    const session = next(socket, 'session')
    const added = next(socket, 'chat_added')
    socket.connect()
    t.notOk((await session).chats.some((chat) => chat.chatId === chatId))
    t.match(await added, { chatId, revision: 1 })
  })

  await t.test('read marks: their own, and those of others of whom they may hear', async (t) => {
    const chatId = await makeChat()
    await call('POST', `/chats/${chatId}/members`, { as: 'service', body: { userIds: ['carol', 'dave'] } })
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'one' } })
    await call('PUT', '/users/me/blocks/carol', { as: 'bob' })
    const read = (as: string) => call('POST', `/chats/${chatId}/read`, { as, body: { upToSeq: 1 } })
    const all = async () => {
      for (const userId of ['carol', 'dave', 'bob']) await read(userId)
    }
    meanwhile(service, all)
    const socket = client(t, service, 'bob')
    const told: unknown[] = []
    socket.onAny((name, payload) => /^(session|messages_read)$/.test(name) && told.push(payload.userId ?? name))
    const own = next(socket, 'messages_read', ({ userId }) => userId === 'bob')
    socket.connect()
    t.same(await own, { chatId, userId: 'bob', lastReadSeq: 1 })
    t.same(told, ['session', 'dave', 'bob'], 'nothing of who is blocked')
  })

  await t.test('read marks of a chat that they come into while they are connected', async (t) => {
    const { socket } = await connect(t, service, 'erin')
    const chatId = await makeChat()
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'one' } })
    const read = () => call('POST', `/chats/${chatId}/read`, { as: 'bob', body: { upToSeq: 1 } })
    meanwhile(service, read, 'getChatFor')
    const told: string[] = []
    socket.onAny((name) => /^(chat_added|messages_read)$/.test(name) && told.push(name))
    const mark = next(socket, 'messages_read')
    await call('POST', `/chats/${chatId}/members`, { as: 'service', body: { userIds: ['erin'] } })
    t.same(await mark, { chatId, userId: 'bob', lastReadSeq: 1 })
    t.same(told, ['chat_added', 'messages_read'])
  })

  await t.test('a read mark while what came before is being read for them', async (t) => {
    const chatId = await makeChat()
    const send = () => call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'one' } })
    const read = () => call('POST', `/chats/${chatId}/read`, { as: 'dave', body: { upToSeq: 1 } })
    await call('POST', `/chats/${chatId}/members`, { as: 'service', body: { userIds: ['dave'] } })
    // Somebody is in the chat already: it has moved on when the next one comes.
    const { socket: dave } = await connect(t, service, 'dave')
    meanwhile(service, async () => {
      const heard = next(dave, 'new_message')
      await send()
      await heard
      meanwhile(service, read, 'readChanges')
    })
    const socket = client(t, service, 'bob')
    const told: string[] = []
    socket.onAny((name) => /^(session|new_message|messages_read)$/.test(name) && told.push(name))
    const mark = next(socket, 'messages_read')
    const message = next(socket, 'new_message')
    socket.connect()
    t.match(await mark, { chatId, userId: 'dave', lastReadSeq: 1 })
    await message
    t.same(told, ['session', 'messages_read', 'new_message'])
  })

  await t.test('their own settings, of chats that they are in and of one that they come into', async (t) => {
    const chatId = await makeChat()
    const pin = () => call('PUT', `/chats/${chatId}/settings`, { as: 'bob', body: { isPinned: true } })
    meanwhile(service, pin)
    const socket = client(t, service, 'bob')
    const told: string[] = []
    socket.onAny((name) => /^(session|chat_added|my_chat_updated)$/.test(name) && told.push(name))
    const pinned = next(socket, 'my_chat_updated')
    socket.connect()
    t.match(await pinned, { chatId, settings: { isPinned: true } })
    t.same(told.splice(0), ['session', 'my_chat_updated'])

    const { socket: frank } = await connect(t, service, 'frank')
    frank.onAny((name) => /^(chat_added|my_chat_updated)$/.test(name) && told.push(name))
    meanwhile(
      service,
      async () => {
        const heard = next(frank, 'my_chat_updated')
        await call('PUT', `/chats/${chatId}/settings`, { as: 'frank', body: { isArchived: true } })
        await heard
      },
      'getChatFor',
    )
    await call('POST', `/chats/${chatId}/members`, { as: 'service', body: { userIds: ['frank'] } })
    await until('settings again', () => told.length === 3)
    t.same(told, ['my_chat_updated', 'chat_added', 'my_chat_updated'])
  })

  await t.test('their removal, and nothing above it', async (t) => {
    const chatId = await makeChat()
    meanwhile(service, async () => {
      await call('DELETE', `/chats/${chatId}/members/bob`, { as: 'alice' })
      await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'not for bob' } })
    })
    const socket = client(t, service, 'bob')
    const messages = collect(socket, 'new_message')
    const removed = next(socket, 'chat_removed')
    socket.connect()
    t.same(await removed, { chatId, revision: 2 })
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'nor this' } })
    const { socket: alice } = await connect(t, service, 'alice')
    await alice.timeout(15_000).emitWithAck('get_chat', { chatId })
    t.same(messages, [])
  })
})

// What broke, in the simulator: a user who was found just before a revocation, and was not known here yet when it was told, stayed in.
t.test('an end that is told while a user is looked up keeps them out, and nobody who comes later', async (t) => {
  const arrivals = createArrivals()
  const identities: ((identity: Identity) => void)[] = []
  const arrive = createArrive({
    identify: () => new Promise((resolve) => identities.push(resolve)),
    mayConnect() {},
    loadBlocks: async () => {},
    loadChats: async () => [],
    expect: arrivals.add,
    leave: arrivals.delete,
    isDraining: () => false,
    wasEnded: arrivals.wasEnded,
  })
  const user = { userId: 'alice', name: 'Alice', avatarUrl: null }
  const find = () => identities.shift()?.({ kind: 'user', user, expiresAtMs: null, issuedAtMs: 0 })
  const first = arrive('token', () => {})
  arrivals.noteEnd({ userId: 'alice', code: 'TOO_MANY_SOCKETS', connectionIds: ['another'] })
  // What also broke: a `disconnect` from before the answer, heard of after it, was taken for one of before they came.
  const lookedUpAt = performance.now()
  find()
  const { userId, sinceMs } = await first
  t.equal(userId, 'alice', 'an end of some connections is of others')
  t.ok(sinceMs <= lookedUpAt, 'they are there from the moment that they knocked')
  const second = arrive('token', () => {})
  arrivals.noteEnd({ userId: 'alice', code: 'TOKEN_REVOKED' })
  find()
  await t.rejects(second, { code: 'UNAUTHENTICATED' })
  await new Promise((resolve) => setTimeout(resolve, 2))
  const third = arrive('token', () => {})
  find()
  t.match(await third, { state: { is: 'ready' } })
  t.match(arrivals.sizes(), { ended: 1 })
})
