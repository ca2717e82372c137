import t from 'tap'
import chat from '../../app.js'
import type { Closing } from '../../client/src/wire.js'
import { build, inSeconds } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'
import { clientOf, linesOf, online, when } from './client.js'
import { cut } from './world.js'

t.test('a client comes back when the closing says, and not before', async (t) => {
  const service = await build(t)
  const asked: number[] = []
  const getToken = () => {
    asked.push(performance.now())
    return service.token('alice')
  }
  const client = clientOf(t, service, 'alice', { getToken })
  await online(client)
  const closing: Closing = { code: 'DRAINING', message: 'Soon.', retryable: true, reconnectInMs: 1_200 }
  for (const way of ['transport', 'server']) {
    const before = asked.length
    const startMs = performance.now()
    for (const socket of service.app.io.of('/').sockets.values()) {
      socket.emit('closing', closing)
      if (way === 'server') socket.disconnect()
      else socket.conn.close()
    }
    t.match(await when(client.connection, 'offline', ({ state }) => state === 'offline'), { closing })
    await online(client)
    t.equal(asked.length, before + 1)
    t.ok((asked.at(-1) ?? 0) - startMs >= 1_195, 'as long as it was told')
    t.equal(client.connection.get().closing, null)
  }
})

t.test('a service below a path', async (t) => {
  const host = createHost(t)
  const options = await chatOptions(t, { chatCreation: 'users', uploads: 'folder', autoCreateUsers: true })
  await host.register(chat, { ...options, prefix: '/talk', socketPath: '/talk/socket.io' })
  const { url, token } = await serviceOf(host)
  const alice = clientOf(t, { url: `${url}/talk/`, token }, 'alice')
  await online(alice)
  const { chatId } = (await alice.command('create_chat', { type: 'group', memberIds: [], title: 'Tea' })).chat
  const file = Object.assign(new Blob(['hello'], { type: 'text/plain' }), { name: 'a.txt' })
  const { id } = await alice.room(chatId).upload(file)
  t.equal(alice.attachmentUrl(id), `${url}/talk/attachments/${id}`)
  t.equal(await (await alice.download(id)).text(), 'hello')
})

t.test('a key that another device has taken', async (t) => {
  const service = await build(t, { chatCreation: 'users' })
  let isThere = true
  const getToken = async () => {
    if (!isThere) throw new TypeError('fetch failed')
    return service.token('alice')
  }
  const client = clientOf(t, service, 'alice', { getToken })
  await online(client)
  const { chatId } = (await client.command('create_chat', { type: 'group', memberIds: ['bob'], title: 'Tea' })).chat
  const room = client.room(chatId)
  await room.latest()

  async function writeAway(content: string, taken: string): Promise<string> {
    isThere = false
    cut(service, 'alice')
    await when(client.connection, 'offline', ({ state }) => state === 'offline')
    const clientMessageId = room.send({ content })
    const body = { content: taken, clientMessageId }
    t.match(await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body }), { status: 201 })
    isThere = true
    client.connect()
    await online(client)
    return clientMessageId
  }

  await t.test('with the same text: it is the same message', async (t) => {
    await writeAway('one', 'one')
    await when(client.outbox, 'empty', (entries) => entries.length === 0)
    t.same(linesOf(room), ['one'])
  })

  await t.test('with another text: one’s own is not lost', async (t) => {
    const key = await writeAway('mine', 'theirs')
    await when(client.outbox, 'failed', ([entry]) => entry?.status === 'failed')
    t.match(client.outbox.get(), [{ key, draft: { content: 'mine' }, error: { code: 'IDEMPOTENCY_CONFLICT' } }])
    const entries = await when(room.entries, 'both', (all) => all.length === 3)
    t.match(entries.slice(1), [
      { status: 'stored', key, message: { content: 'theirs' } },
      { status: 'failed', pending: { key, draft: { content: 'mine' } } },
    ])
    t.equal(new Set(entries.map((entry) => entry.key)).size, 3)
    client.outbox.discard(key)
    t.same(linesOf(room), ['one', 'theirs'])
  })

  await t.test('with one’s own text that was changed since: it is the same message', async (t) => {
    isThere = false
    cut(service, 'alice')
    await when(client.connection, 'offline', ({ state }) => state === 'offline')
    const clientMessageId = room.send({ content: 'two' })
    const body = { content: 'two', clientMessageId }
    const sent = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body })
    await service.call('PATCH', `/messages/${sent.body.message.id}`, { as: 'alice', body: { content: 'three' } })
    isThere = true
    client.connect()
    await online(client)
    await when(client.outbox, 'empty', (entries) => entries.length === 0)
    t.same(linesOf(room), ['one', 'theirs', 'three'])
  })
})

t.test('what is unread counts again when a mute runs out', async (t) => {
  const service = await build(t, { chatCreation: 'users' })
  const [alice, bob] = [clientOf(t, service, 'alice'), clientOf(t, service, 'bob')]
  await Promise.all([online(alice), online(bob)])
  const { chatId } = (await alice.command('create_chat', { type: 'group', memberIds: ['bob'], title: 'Tea' })).chat
  await when(bob.chats, 'the chat', (chats) => chats.length === 1)
  const mutedUntil = new Date(inSeconds(3) * 1_000).toISOString()
  await bob.command('set_chat_settings', { chatId, mutedUntil })
  await when(bob.chats, 'muted', ([chat]) => chat?.settings.mutedUntil != null)
  alice.room(chatId).send({ content: 'one' })
  await when(bob.chats, 'the message', ([chat]) => chat?.unreadCount === 1)
  if (Date.now() < Date.parse(mutedUntil)) t.match(bob.unread.get(), { chats: 0, messages: 0 })
  const told = when(bob.unread, 'the end of the mute', ({ messages }) => messages === 1)
  t.match(await told, { chats: 1, messages: 1 })
  t.ok(Date.now() >= Date.parse(mutedUntil))
})

t.test('who writes has read what stands above it', async (t) => {
  const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace']
  const service = await build(t, { chatCreation: 'users', users })
  const [alice, grace] = [clientOf(t, service, 'alice'), clientOf(t, service, 'grace')]
  await Promise.all([online(alice), online(grace)])
  for (const memberIds of [['grace'], users.slice(1)]) {
    const { chatId } = (await alice.command('create_chat', { type: 'group', memberIds, title: 'Tea' })).chat
    const [room, hers] = [alice.room(chatId), grace.room(chatId)]
    await when(hers.chat, 'the chat', (chat) => chat !== null)
    await room.latest()
    for (const content of ['one', 'two']) room.send({ content })
    await when(alice.outbox, 'sent', (entries) => entries.length === 0)
    t.same(room.marks.get().readBy(1), [])
    hers.send({ content: 'three' })
    await when(room.entries, 'three', (entries) => entries.length === 3)
    t.same(room.marks.get().readBy(3), ['grace'], `of ${memberIds.length + 1}`)
  }
})
