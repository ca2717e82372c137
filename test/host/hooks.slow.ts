import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import chat, { type HostHooks } from '../../app.js'
import { ChatError } from '../../contract/errors.js'
import type { Change, Message } from '../../contract/shapes.js'
import type { Claims } from '../../services/session/claims.js'
import { ask, client, connect, must, next, sign, until } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'

async function start(hooks: HostHooks, settings: object = {}) {
  const lines: string[] = []
  const host = createHost(t, { logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } } })
  await host.register(chat, await chatOptions(t, { ...settings, ...hooks }))
  await host.chat.users.ensure(['alice', 'bob'].map((userId) => ({ userId, name: userId, avatarUrl: null })))
  return { host, lines, service: await serviceOf(host) }
}

t.test('onMessage is told of what was stored, once, and nothing waits for it', async (t) => {
  const told: { message: Message; userId: string }[] = []
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let rows = 0
  const { host, lines, service } = await start({
    async onMessage(message) {
      rows = (await host.chat.db.run('stored', 'SELECT 1 FROM messages WHERE id = $1', [message.id])).length
      told.push({ message, userId: message.sender.userId })
      if (message.content === 'hold') await held
      if (message.content === 'break') throw new Error('the host broke')
    },
  })
  const { socket } = await connect(t, service, 'alice')
  const { chat: made } = await must(socket, 'create_chat', { type: 'direct', memberIds: ['bob'] })
  const send = { chatId: made.chatId, content: 'hold', clientMessageId: 'a' }

  const first = await must(socket, 'send_message', send)
  await until('it is told', () => told.length === 1)
  t.same(told[0], { message: first.message, userId: 'alice' })
  t.equal(rows, 1, 'after the commit')
  t.equal((await must(socket, 'send_message', send)).duplicate, true)

  await must(socket, 'send_message', { chatId: made.chatId, content: 'break' })
  await until('its failure is logged', () => lines.some((line) => line.includes('a listener of the host broke')))
  const posted = await service.call('POST', `/chats/${made.chatId}/messages`, {
    as: 'service',
    onBehalfOf: 'bob',
    body: { content: 'by REST' },
  })
  t.equal(posted.status, 201)
  await until('REST is told of, too', () => told.length === 3)
  t.equal(told[2]?.userId, 'bob')

  setTimeout(letGo, 200)
  const startedAt = performance.now()
  await host.close()
  t.ok(performance.now() - startedAt >= 150, 'what is under way ends before the database does')
})

t.test('authorize may refuse, before a handler runs', async (t) => {
  const calls: string[] = []
  const { lines, service } = await start({
    async authorize({ command, caller, input }) {
      calls.push(command)
      if (command === 'send_message' && input.content?.includes('curse')) {
        throw new ChatError('FORBIDDEN', { message: 'Mind your words.', details: { who: caller.kind } })
      }
      if (command === 'typing') throw new TypeError('a fault of the host')
    },
  })
  const { socket } = await connect(t, service, 'alice')
  const { chat: made } = await must(socket, 'create_chat', { type: 'direct', memberIds: ['bob'] })
  const { chatId } = made
  const refused = await ask(socket, 'send_message', { chatId, content: 'a curse' })
  t.match(refused, { ok: false, error: { code: 'FORBIDDEN', message: 'Mind your words.', details: { who: 'user' } } })
  const rest = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'curse' } })
  t.match(rest, { status: 403, body: { error: { message: 'Mind your words.' } } })
  const page = await must(socket, 'get_messages', { chatId })
  t.same(page.messages, [], 'nothing was stored')
  t.match(await ask(socket, 'typing', { chatId, isTyping: true }), { ok: false, error: { code: 'INTERNAL' } })
  t.ok(lines.some((line) => line.includes('a fault of the host')))
  t.match(await ask(socket, 'send_message', { chatId } as never), { error: { code: 'VALIDATION_FAILED' } })
  t.equal(calls.filter((call) => call === 'send_message').length, 2, 'it sees only what fits the schema')
})

t.test('resolveUser supplies the users', async (t) => {
  const asked: Claims[] = []
  const people = new Map([['u-1', { name: 'One', avatarUrl: 'https://host.example/1.png' }]])
  let isDown = false
  const { host, service } = await start(
    {
      async resolveUser(claims) {
        asked.push(claims)
        await sleep(5)
        if (isDown) throw new Error('the host cannot look')
        return people.get(claims.userId as string) ?? null
      },
    },
    { autoCreateUsers: true },
  )
  const stranger = client(t, service, 'alice')
  const refused = next(stranger as never, 'connect_error' as never) as Promise<unknown>
  stranger.connect()
  t.match(await refused, { data: { code: 'UNAUTHENTICATED', retryable: false } }, 'our own table is not asked')

  const { socket, session } = await connect(t, service, 'u-1')
  t.same(session.user, { userId: 'u-1', name: 'One', avatarUrl: 'https://host.example/1.png' })
  t.match(asked.at(-1), { userId: 'u-1', isService: false, payload: { sub: 'u-1' } })
  socket.disconnect()

  people.set('u-1', { name: 'Uno', avatarUrl: 'https://host.example/1.png' })
  const { session: again } = await connect(t, service, 'u-1')
  t.equal(again.user.name, 'Uno')
  t.equal((await host.chat.userService.getUserById('u-1'))?.name, 'Uno', 'it is kept')

  // What broke: a picture that runs as a script, and a name of any length, were told to everybody.
  for (const name of ['x'.repeat(201), ' ', undefined as never]) {
    people.set('u-2', { name, avatarUrl: 'javascript:alert(1)' })
    const { session: wrong } = await connect(t, service, 'u-2')
    t.same(wrong.user, { userId: 'u-2', name: 'u-2', avatarUrl: null })
    t.same(await host.chat.userService.getUserById('u-2'), wrong.user)
  }

  const { length } = asked
  t.equal((await service.call('GET', '/chats', { as: 'service', onBehalfOf: 'u-1' })).status, 200)
  t.equal(asked.length, length, 'a header names who is kept; nobody is asked about')
  t.equal((await service.call('GET', '/chats', { as: 'service', onBehalfOf: 'nobody' })).status, 404)

  isDown = true
  const down = await service.call('GET', '/chats', { as: 'u-1' })
  t.match(down, { status: 503, body: { error: { code: 'UNAVAILABLE', retryable: true } } })
  isDown = false

  t.equal((await service.call('POST', '/users/u-1/revoke-tokens', { as: 'service' })).status, 200)
  const old = sign({ sub: 'u-1', exp: Math.floor(Date.now() / 1_000) + 60, iat: Math.floor(Date.now() / 1_000) - 60 })
  const revoked = await service.call('GET', '/chats', { headers: { authorization: `Bearer ${old}` } })
  t.equal(revoked.status, 401, 'revocation holds')
  t.equal((await service.call('DELETE', '/users/u-1', { as: 'service' })).status, 200)
  t.equal((await service.call('GET', '/chats', { as: 'u-1' })).status, 401, 'a tombstone is not revived')
  t.equal((await host.chat.userService.getUserById('u-1'))?.name, '')
})

t.test('onMessage and onChange hear of whatever is written, whoever wrote it, each once and in order', async (t) => {
  const messages: Message[] = []
  const changes: Change[] = []
  const { host, service } = await start({
    onMessage: (message) => void messages.push(message),
    onChange: (change) => void changes.push(change),
  })
  const { log, messageService, db } = host.chat
  const { socket } = await connect(t, service, 'alice')
  const { chat: made } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'], title: 'x' })
  const { chatId } = made
  const sent = await must(socket, 'send_message', { chatId, content: 'by a command', clientMessageId: 'k' })
  await must(socket, 'send_message', { chatId, content: 'by a command', clientMessageId: 'k' })
  await service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'by REST' } })
  await log.append({ chatId, senderId: 'bob', content: 'by the log' })
  await messageService.createMessage({ chatId, senderId: 'bob', content: 'by its old name' })
  const { id: messageId } = sent.message
  await must(socket, 'edit_message', { messageId, content: 'edited' })
  await must(socket, 'edit_message', { messageId, content: 'edited' })
  await must(socket, 'add_reaction', { messageId, emoji: '👍' })
  await must(socket, 'delete_message', { messageId })
  await must(socket, 'update_chat', { chatId, title: 'y' })
  await must(socket, 'remove_member', { chatId, userId: 'bob' })
  await must(socket, 'add_members', { chatId, userIds: ['bob'] })
  // The last owner's leaving writes two lines.
  await must(socket, 'leave_chat', { chatId })

  const types = [
    ...['chat_updated', 'message_created', 'message_created', 'message_created', 'message_created'],
    ...['message_updated', 'message_updated', 'message_deleted', 'chat_updated'],
    ...['member_changed', 'member_changed', 'member_changed', 'member_changed'],
  ]
  await until('all is told', () => changes.length >= types.length)
  t.same(
    changes.map(({ chatId: of, revision, type }) => [of, revision, type]),
    types.map((type, i) => [chatId, i + 1, type]),
  )
  t.same(
    messages.map(({ content }) => content),
    ['by a command', 'by REST', 'by the log', 'by its old name'],
    'a retry is no message',
  )

  // A chat that this process has never seen before, written to by other hands: what they announce is told, and nothing of before.
  const { rows } = await db.pool.query(
    `SELECT chat_id, log_head.through FROM log_create_chat('imported', 'group', 'z', 'all', NULL, 'bob', '{bob}', 100) f, log_wrote(f.chat_id, 1) AS log_head`,
  )
  t.same(rows, [{ chat_id: 'imported', through: 1 }])
  await db.pool.query(`SELECT log_update_chat('imported', 'bob', true, 'of other hands', NULL)`)
  log.announce([{ chatId: 'imported', range: { after: 1, through: 2 } }])
  await until('an import is told', () => changes.some((change) => change.chatId === 'imported'))
  t.match(
    changes.filter((change) => change.chatId === 'imported'),
    [{ revision: 2, type: 'chat_updated', chat: { title: 'of other hands' } }],
  )
  t.equal(changes.length, types.length + 1, 'nothing is told twice')
})
