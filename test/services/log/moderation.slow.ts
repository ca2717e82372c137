import type { Test } from 'tap'
import { FOR_GOOD } from '../../../contract/limits.js'
import { build, type ClientSocket, collect, connect, must, next, onEachDatabase, type Service } from '../../helper.js'
import { type Answer, overRest, overSocket } from '../../helpers/doors.js'

const PEOPLE = ['owner', 'second', 'admin', 'deputy', 'member', 'other', 'outside']

type Input = Record<string, unknown>

/** A group of two owners, two admins and two members, and both doors to it. */
async function room(t: Test, service: Service) {
  const { call, app } = service
  const memberIds = PEOPLE.slice(0, -1)
  const made = await call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds } })
  const { chatId } = made.body.chat
  for (const [userId, role] of [
    ['second', 'owner'],
    ['admin', 'admin'],
    ['deputy', 'admin'],
  ]) {
    await call('PATCH', `/chats/${chatId}/members/${userId}`, { as: 'service', body: { role } })
  }
  const sockets = new Map<string, ClientSocket>()
  async function over(as: string): Promise<ClientSocket> {
    const socket = sockets.get(as) ?? (await connect(t, service, as)).socket
    sockets.set(as, socket)
    return socket
  }
  return {
    chatId,
    over,
    /** Over a socket, in the order of calls, or over REST. */
    ask: async (as: string, command: Parameters<typeof overRest>[1], input: Input, door = 'socket'): Promise<Answer> =>
      door === 'socket' && as !== 'service'
        ? overSocket(await over(as), command, { chatId, ...input })
        : overRest(service, command, { chatId, ...input }, as === 'service' ? null : as),
    send: async (as: string, more: Input = {}): Promise<Answer> =>
      overSocket(await over(as), 'send_message', { chatId, content: 'hello', ...more }),
    onMessage: async (as: string, command: string, input: Input): Promise<Answer> =>
      overSocket(await over(as), command, input),
    revision: async () => (await app.chat.log.getHeads([chatId])).get(chatId) ?? 0,
  }
}

const ok = { ok: true as const }
const refused = (code: string, details?: object) => ({
  ok: false as const,
  error: { code, ...(details && { details }) },
})

onEachDatabase('mutes', async (t, database) => {
  const service = await build(t, { ...database, users: PEOPLE })
  const { chatId, over, ask, send, onMessage, revision } = await room(t, service)
  const mute = (as: string, userId: string, until?: string | null, door?: string) =>
    ask(as, 'mute_member', { userId, ...(until !== undefined && { until }) }, door)

  await t.test('who may mute whom', async (t) => {
    const before = await revision()
    for (const door of ['socket', 'rest']) {
      t.match(await mute('member', 'other', null, door), refused('FORBIDDEN'), 'a member, nobody')
      t.match(await mute('admin', 'deputy', undefined, door), refused('FORBIDDEN'), 'an admin, another')
      t.match(await mute('admin', 'owner', undefined, door), refused('FORBIDDEN'), 'an admin, an owner')
      t.match(await mute('admin', 'admin', undefined, door), refused('FORBIDDEN'), 'an admin, themselves')
      t.match(await mute('owner', 'owner', undefined, door), refused('FORBIDDEN'), 'an owner, themselves')
      t.match(await mute('outside', 'member', undefined, door), refused('NOT_FOUND'), 'who is not in it')
      t.match(await mute('owner', 'outside', undefined, door), refused('NOT_FOUND'), 'nobody who is not in it')
    }
    t.equal(await revision(), before, 'nothing took a revision')
    for (const [as, userId] of [
      ['owner', 'second'],
      ['owner', 'admin'],
      ['admin', 'member'],
      ['service', 'owner'],
    ] as const) {
      t.match(await mute(as, userId), ok, `${as} mutes ${userId}`)
      t.match(await send(userId), refused('FORBIDDEN', { reason: 'muted', until: FOR_GOOD }))
      t.match(await mute('service', userId, null), ok)
      t.match(await send(userId), ok, 'and then no longer')
    }
  })

  await t.test('a muted member writes nothing, and everybody knows', async (t) => {
    const mine = await send('member', { clientMessageId: 'before' })
    const messageId = mine.ok && mine.data.message.id
    const until = '2100-01-01T00:00:00.000Z'
    const told = next(await over('other'), 'member_changed')
    const before = await revision()
    t.match(await mute('admin', 'member', '2100-01-01T01:00:00+01:00'), {
      ok: true,
      data: { chat: { revision: before + 1 } },
    })
    t.match(await told, { user: { userId: 'member' }, mutedUntil: until, removed: false, revision: before + 1 })
    t.match(
      await mute('admin', 'member', until),
      { ok: true, data: { chat: { revision: before + 1 } } },
      'no change, no revision',
    )
    const { members } = await must(await over('other'), 'list_members', { chatId })
    t.match(
      members.find(({ user }) => user.userId === 'member'),
      { mutedUntil: until },
    )
    const { chats } = await must(await over('other'), 'sync', { chats: { [chatId]: before } })
    t.match(chats[chatId], { changes: [{ type: 'member_changed', actorId: 'admin', member: { mutedUntil: until } }] })

    const muted = refused('FORBIDDEN', { reason: 'muted', until })
    t.match(await send('member'), muted)
    t.match(await onMessage('member', 'edit_message', { messageId, content: 'other words' }), muted)
    t.match(await onMessage('member', 'add_reaction', { messageId, emoji: '👍' }), muted)
    t.match(await onMessage('member', 'remove_reaction', { messageId, emoji: '👍' }), muted)
    t.match(await onMessage('member', 'typing', { chatId, isTyping: true }), muted)
    t.match(
      await overRest(service, 'send_message', { chatId, content: 'x' }, 'member', true),
      muted,
      'a service for them',
    )
    t.match(
      await send('member', { clientMessageId: 'before' }),
      { ok: true, data: { duplicate: true } },
      'a retry is none',
    )
    t.match(await onMessage('member', 'delete_message', { messageId }), ok, 'what they said they may take back')
    t.match(await onMessage('member', 'get_messages', { chatId }), ok, 'and they may read')

    t.match(await mute('admin', 'member', '2001-01-01T00:00:00Z'), ok, 'a time that has passed')
    t.match(await send('member'), ok)
    t.match(await mute('admin', 'member', new Date(Date.now() + 400).toISOString()), ok)
    t.match(await send('member'), refused('FORBIDDEN'))
    await new Promise((resolve) => setTimeout(resolve, 600))
    t.match(await send('member'), ok, 'a mute ends by itself')
  })
})

onEachDatabase('bans', async (t, database) => {
  const service = await build(t, { ...database, users: PEOPLE })
  const { chatId, over, ask, send } = await room(t, service)
  const ban = (as: string, userId: string, door?: string) => ask(as, 'ban_member', { userId }, door)

  await t.test('who may ban whom', async (t) => {
    for (const door of ['socket', 'rest']) {
      t.match(await ban('member', 'other', door), refused('FORBIDDEN'))
      t.match(await ban('admin', 'deputy', door), refused('FORBIDDEN'))
      t.match(await ban('deputy', 'owner', door), refused('FORBIDDEN'))
      t.match(await ban('owner', 'owner', door), refused('FORBIDDEN'))
      t.match(await ban('outside', 'member', door), refused('NOT_FOUND'))
      t.match(await ask('member', 'list_bans', {}, door), refused('FORBIDDEN'))
      t.match(await ask('member', 'unban_member', { userId: 'x' }, door), refused('FORBIDDEN'))
      t.match(await ask('outside', 'list_bans', {}, door), refused('NOT_FOUND'))
    }
  })

  await t.test('a ban takes out and keeps out', async (t) => {
    const member = await over('member')
    const removed = next(member, 'chat_removed')
    const changed = next(await over('other'), 'member_changed')
    const answer = await ban('admin', 'member')
    t.match(answer, { ok: true, data: { chat: { chatId } } })
    const revision = answer.ok && answer.data.chat.revision
    t.match(await removed, { chatId, revision })
    t.match(await changed, { user: { userId: 'member' }, removed: true, revision })
    const late = collect(member, 'new_message')
    t.match(await send('member'), refused('NOT_FOUND'))
    t.match(await send('other'), ok)

    const keptOut = refused('CONFLICT', { reason: 'banned', userIds: ['member'] })
    for (const as of ['owner', 'service']) {
      t.match(await ask(as, 'add_members', { userIds: ['member', 'outside'] }, 'rest'), keptOut, as)
    }
    t.match(await ask('owner', 'add_members', { userIds: ['outside'] }), ok, 'the others may come')
    const body = { type: 'group', chatId, memberIds: ['member'] }
    await service.call('POST', '/chats', { as: 'service', body })
    t.match(await ask('member', 'get_chat', {}), refused('NOT_FOUND'), 'making the chat again lets nobody in')
    t.match(await ban('admin', 'member'), ok, 'twice is once')

    t.match(await ban('service', 'stranger'), ok, 'somebody who never was in it')
    const first = await ask('admin', 'list_bans', { limit: 1 }, 'rest')
    t.match(first, {
      ok: true,
      data: { bans: [{ user: { userId: 'member', name: 'MEMBER' }, actorId: 'admin' }], nextCursor: String },
    })
    const cursor = first.ok && first.data.nextCursor
    t.match(await ask('admin', 'list_bans', { cursor }), {
      ok: true,
      data: { bans: [{ user: { userId: 'stranger' }, actorId: null }], nextCursor: null },
    })
    t.match(await ask('service', 'list_bans', {}), { ok: true, data: { bans: { length: 2 } } })

    t.match(await ask('admin', 'unban_member', { userId: 'member' }, 'rest'), { ok: true, data: { chat: { chatId } } })
    t.match(await ask('admin', 'unban_member', { userId: 'member' }), ok, 'twice is once')
    const added = next(member, 'chat_added')
    t.match(await ask('admin', 'add_members', { userIds: ['member'] }), ok)
    t.match(await added, { chatId })
    t.same(late, [])
  })

  await t.test('the last owner who is banned leaves an heir', async (t) => {
    for (const userId of ['owner', 'second']) t.match(await ban('service', userId), ok)
    const { members } = await service.app.chat.log.listMembers(null, chatId, undefined)
    t.match(
      members.filter(({ role }) => role === 'owner'),
      [{ user: { userId: 'admin' } }],
    )
  })

  await t.test('a direct chat has none of it', async (t) => {
    const body = { type: 'direct', memberIds: ['owner', 'other'] }
    const { chat } = (await service.call('POST', '/chats', { as: 'service', body })).body
    for (const [command, input] of [
      ['ban_member', { userId: 'other' }],
      ['unban_member', { userId: 'other' }],
      ['list_bans', {}],
      ['mute_member', { userId: 'other' }],
      ['update_chat', { isFrozen: true }],
    ] as const) {
      for (const as of ['owner', null]) {
        t.match(await overRest(service, command, { chatId: chat.chatId, ...input }, as), refused('CONFLICT'), command)
      }
    }
  })
})

onEachDatabase('slow mode and freezing', async (t, database) => {
  const service = await build(t, { ...database, users: PEOPLE })
  const { chatId, over, ask, send, onMessage, revision } = await room(t, service)

  await t.test('are rules of the chat that all see', async (t) => {
    const before = await revision()
    const told = next(await over('other'), 'chat_updated')
    t.match(await ask('member', 'update_chat', { slowModeSeconds: 5 }), refused('FORBIDDEN'))
    t.match(await ask('admin', 'update_chat', { slowModeSeconds: 5 }), {
      ok: true,
      data: { chat: { slowModeSeconds: 5, isFrozen: false, revision: before + 1 } },
    })
    t.match(await told, { chatId, slowModeSeconds: 5, isFrozen: false })
    t.match(await ask('admin', 'update_chat', { slowModeSeconds: 5 }), {
      ok: true,
      data: { chat: { revision: before + 1 } },
    })
    t.match((await connect(t, service, 'other')).session.chats[0], { slowModeSeconds: 5, isFrozen: false })
  })

  await t.test('a member sends one message each so many seconds', async (t) => {
    const keys = Array.from({ length: 6 }, (_, i) => ({ clientMessageId: `k${i}` }))
    // All in one turn, and so in one batch.
    const answers = await Promise.all(keys.map((key) => send('member', key)))
    t.equal(answers.filter(({ ok }) => ok).length, 1, 'of many at once, one')
    t.match(answers[0], ok, 'the first')
    const slow = answers[1]
    t.match(slow, refused('RATE_LIMITED', { reason: 'slow_mode' }))
    const wait = slow && !slow.ok && slow.error.retryAfterMs
    t.ok(wait && wait > 1_000 && wait <= 5_000, `${wait} ms`)
    t.match(await send('member', keys[0]), { ok: true, data: { duplicate: true } }, 'a retry of what is stored')
    t.match(await send('member', { ...keys[0], content: 'else' }), refused('IDEMPOTENCY_CONFLICT'))
    t.match(await send('member', keys[1]), refused('RATE_LIMITED'))
    t.match(await send('other'), ok, 'others have their own')
    for (const as of ['owner', 'admin']) {
      t.match(await Promise.all([send(as), send(as)]), [ok, ok], `an ${as} as they like`)
    }
    t.match(await overRest(service, 'send_message', { chatId, content: 'x' }, 'member', true), ok, 'and a service')
    await service.app.db.run('wait', `UPDATE members SET last_sent_at = last_sent_at - interval '5 s'`, [])
    t.match(await send('member', keys[1]), ok, 'later')
    t.match(await ask('admin', 'update_chat', { slowModeSeconds: 0 }), ok)
    t.match(await Promise.all([send('member'), send('member')]), [ok, ok])
  })

  await t.test('a frozen chat is for owners, admins and services to write in', async (t) => {
    const mine = await send('member', { clientMessageId: 'mine' })
    const messageId = mine.ok && mine.data.message.id
    t.match(await ask('owner', 'update_chat', { isFrozen: true }, 'rest'), {
      ok: true,
      data: { chat: { isFrozen: true } },
    })
    const frozen = refused('FORBIDDEN', { reason: 'frozen' })
    t.match(await send('member'), frozen)
    t.match(await send('member', { clientMessageId: 'mine' }), { ok: true, data: { duplicate: true } })
    t.match(await onMessage('member', 'edit_message', { messageId, content: 'x' }), frozen)
    t.match(await onMessage('member', 'add_reaction', { messageId, emoji: '👍' }), frozen)
    t.match(await onMessage('member', 'typing', { chatId, isTyping: true }), frozen)
    t.match(await onMessage('member', 'get_messages', { chatId }), ok)
    t.match(await send('admin'), ok)
    t.match(await onMessage('owner', 'add_reaction', { messageId, emoji: '👍' }), ok)
    t.match(
      await overRest(service, 'send_message', { chatId, content: 'x' }, 'member', true),
      ok,
      'a service for a member',
    )
    t.match(await overRest(service, 'edit_message', { messageId, content: 'x' }, 'member', true), ok)
    t.match(await ask('service', 'update_chat', { isFrozen: false }), ok)
    t.match(await send('member'), ok)
  })
})
