import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { ChatOptions } from '../../app.js'
import type { Message } from '../../contract/shapes.js'
import { ask, build, collect, connect, inSeconds, must, next, type Service, tempDir, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'
import { needsRedis, startRedis } from '../helpers/redis.js'

// Two nodes on one database: what one does, clients of the other see. On each bus that reaches another node.

interface Nodes {
  a: Service
  b: Service
  /** Makes a group, on the first node; answers its id. */
  group(ownerId: string, ...memberIds: string[]): Promise<string>
  /** What `onMessage` was told, on either node. */
  told: (string | null)[]
}

const SOON_MS = 1_000

const LAWS: Record<string, (t: Test, nodes: Nodes) => Promise<void>> = {
  async 'messages arrive, in order and soon'(t, { a, b, group }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const heard = collect(bob, 'new_message')
    const startedAt = performance.now()
    const first = next(bob, 'new_message')
    await must(alice, 'send_message', { chatId, content: 'first' })
    await first
    const took = performance.now() - startedAt
    t.comment(`from a send on one node to its delivery on the other: ${took.toFixed(1)} ms`)
    t.ok(took < 2 * SOON_MS)
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => ask(i % 2 ? alice : bob, 'send_message', { chatId, content: `${i}` })),
    )
    await until('all has arrived', () => heard.length === 201)
    t.same(
      heard.map(({ seq }) => seq),
      Array.from({ length: 201 }, (_, i) => i + 1),
    )
  },

  async 'edits, deletions and reactions arrive'(t, { a, b, group }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const updated = collect(bob, 'message_updated')
    const deleted = next(bob, 'message_deleted')
    const { message } = await must(alice, 'send_message', { chatId, content: 'a' })
    await must(alice, 'edit_message', { messageId: message.id, content: 'b' })
    await must(alice, 'add_reaction', { messageId: message.id, emoji: '👍' })
    await must(alice, 'delete_message', { messageId: message.id })
    t.match(await deleted, { content: null, revision: 5 })
    t.same(
      updated.map(({ revision }) => revision),
      [3, 4],
    )
  },

  async 'who is added on one node hears on the other, and who is removed hears no more'(t, { a, b, group }) {
    const chatId = await group('alice')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const added = next(bob, 'chat_added')
    await must(alice, 'add_members', { chatId, userIds: ['bob'] })
    t.match(await added, { chatId })
    const heard = collect(bob, 'new_message')
    const typed = collect(bob, 'typing')
    await must(alice, 'send_message', { chatId, content: 'welcome' })
    await until('bob hears', () => heard.length === 1)

    const removed = next(bob, 'chat_removed')
    await must(alice, 'remove_member', { chatId, userId: 'bob' })
    await removed
    const before = typed.length
    await must(alice, 'send_message', { chatId, content: 'secret' })
    await must(alice, 'typing', { chatId, isTyping: true })
    t.match(await ask(bob, 'typing', { chatId, isTyping: true }), { ok: false })
    const back = next(bob, 'chat_added')
    await must(alice, 'add_members', { chatId, userIds: ['bob'] })
    await back
    t.same([heard.length, typed.length], [1, before], 'nothing of what was said meanwhile')
  },

  async 'typing, read marks and presence arrive'(t, { a, b, group }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const typing = next(bob, 'typing')
    await must(alice, 'typing', { chatId, isTyping: true })
    t.match(await typing, { chatId, userId: 'alice', isTyping: true })
    await must(alice, 'send_message', { chatId, content: 'read me' })
    const read = next(alice, 'messages_read')
    await must(bob, 'mark_as_read', { chatId, upToSeq: 1 })
    t.match(await read, { chatId, userId: 'bob', lastReadSeq: 1 })
    const changes = collect(bob, 'user_status_change')
    await must(alice, 'set_presence', { status: 'dnd' })
    await until('it is told', () => changes.some(({ userId, status }) => userId === 'alice' && status === 'dnd'))
  },

  async 'own settings are told to one’s own devices, wherever they are'(t, { a, b, group }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: here }, { socket: there }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'alice')])
    const told = next(there, 'my_chat_updated')
    const { settings } = await must(here, 'set_chat_settings', { chatId, isPinned: true, isMarkedUnread: true })
    t.same(await told, { chatId, settings })
    const read = next(here, 'my_chat_updated', ({ settings }) => !settings.isMarkedUnread)
    await must(there, 'mark_as_read', { chatId, upToSeq: 0 })
    t.same(await read, { chatId, settings: { ...settings, isMarkedUnread: false } })
  },

  async 'who blocks on one node is not heard of on the other'(t, { a, b, group }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    await must(bob, 'send_message', { chatId, content: 'read me' })
    await must(alice, 'block_user', { userId: 'bob' })
    await sleep(SOON_MS)
    const heard = [collect(bob, 'typing'), collect(bob, 'messages_read')]
    await must(alice, 'typing', { chatId, isTyping: true })
    await must(alice, 'mark_as_read', { chatId, upToSeq: 1 })
    const said = next(bob, 'new_message')
    await must(alice, 'send_message', { chatId, content: 'in a group all is heard' })
    await said
    t.same(heard, [[], []])
  },

  async 'a service that ends a user’s sockets on one node ends them on the other'(t, { a, b }) {
    for (const [path, code] of [
      ['disconnect', 'DISCONNECTED'],
      ['revoke-tokens', 'TOKEN_REVOKED'],
    ] as const) {
      const { socket } = await connect(t, b, 'carol')
      const closing = next(socket, 'closing')
      const gone = new Promise((resolve) => socket.once('disconnect', resolve))
      const startedAt = performance.now()
      t.match(await a.call('POST', `/users/carol/${path}`, { as: 'service' }), { status: 200 })
      t.match(await closing, { code })
      await gone
      const took = performance.now() - startedAt
      t.ok(took < 2 * SOON_MS, `${path} took ${took.toFixed(0)} ms`)
    }
  },

  async 'an end that comes late ends nobody who came after it'(t, { a, b }) {
    const { socket } = await connect(t, b, 'carol', { auth: { token: b.token('carol', { iat: inSeconds(5) }) } })
    const closings = collect(socket, 'closing')
    a.app.chat.bus.publish('ends', { userId: 'carol', code: 'DISCONNECTED', ageMs: 60_000 })
    const last = next(socket, 'closing')
    a.app.chat.bus.publish('ends', { userId: 'carol', code: 'LOGGED_OUT' })
    t.match(await last, { code: 'LOGGED_OUT' })
    t.equal(closings.length, 1)
  },

  async 'a deleted user’s sockets end everywhere'(t, { a, b }) {
    const { socket } = await connect(t, b, 'dave')
    const closing = next(socket, 'closing')
    t.match(await a.call('DELETE', '/users/dave', { as: 'service' }), { status: 200 })
    t.match(await closing, { code: 'USER_DELETED' })
  },

  async 'a host hears of each message once, whichever node stored it'(t, { a, b, group, told }) {
    const chatId = await group('alice', 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const heard = [collect(alice, 'new_message'), collect(bob, 'new_message')]
    told.length = 0
    await must(alice, 'send_message', { chatId, content: 'one' })
    await must(bob, 'send_message', { chatId, content: 'two' })
    await until('both have both', () => heard.every(({ length }) => length === 2))
    await until('the host has both', () => told.length >= 2)
    t.same(told.toSorted(), ['one', 'two'])
  },

  // What the bus has lost, and what a node that was cut off has not heard.
  async 'after a gap the database is asked: messages, memberships, revoked tokens'(t, { a, b, group }) {
    const chatId = await group('alice', 'erin')
    const [{ socket: alice }, { socket: erin }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'erin')])
    const { socket: frank } = await connect(t, b, 'frank')
    const heard = collect(erin, 'new_message')
    const added = next(frank, 'chat_added')
    const closing = next(erin, 'closing')
    // Written by other hands, of whom no node has heard.
    const { db } = a.app.chat
    await db.run('t_send', `SELECT * FROM log_append($1, $2)`, [
      [chatId],
      JSON.stringify([
        { ord: 0, id: '01890a5d-ac96-774b-bcce-b302099a8057', chat_id: chatId, sender_id: 'alice', content: 'unheard' },
      ]),
    ])
    b.app.chat.feed.verify([chatId])
    await until('the message is found', () => heard.length === 1)
    await db.run('t_add', 'SELECT * FROM log_add_members($1, $2, $3, $4)', [chatId, null, ['frank'], 1_000])
    b.app.chat.sessions.verify()
    t.match(await added, { chatId })
    await a.app.chat.users.revokeTokens('erin')
    b.app.chat.sessions.verify()
    t.match(await closing, { code: 'TOKEN_REVOKED' })
    t.ok(alice.connected && frank.connected, 'nobody else is ended')
  },
}

const BUSES: Record<string, { needs: object; options(t: Test): Promise<ChatOptions> }> = {
  postgres: { needs: needsPostgres, options: async () => ({ bus: 'postgres' }) },
  redis: {
    needs: { ...needsPostgres, ...needsRedis },
    options: async (t) => ({ redisUrl: (await startRedis(t)).url }),
  },
}

for (const [bus, { needs, options }] of Object.entries(BUSES)) {
  t.test(bus, needs, async (t) => {
    const told: (string | null)[] = []
    const settings = {
      databaseUrl: await createDatabase(t),
      dataDir: tempDir(t),
      ...(await options(t)),
      onMessage: ({ content }: Message) => void told.push(content),
    }
    const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
    const a = await build(t, { ...settings, users })
    const b = await build(t, { ...settings, users })
    for (const { call } of [a, b]) {
      await until('the bus is there', async () => (await call('GET', '/health')).body.checks.bus.ok)
      t.match(await call('GET', '/health'), { body: { status: 'ok', checks: { bus: { kind: bus, ok: true } } } })
    }
    const group = async (ownerId: string, ...memberIds: string[]) => {
      const { status, body } = await a.call('POST', '/chats', { as: ownerId, body: { type: 'group', memberIds } })
      t.equal(status, 201)
      return body.chat.chatId
    }
    for (const [law, check] of Object.entries(LAWS)) await t.test(law, (t) => check(t, { a, b, group, told }))
  })
}
