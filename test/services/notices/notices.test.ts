import type { Test } from 'tap'
import type { UnreadNotice } from '../../../contract/notices.js'
import { connect, next, onEachDatabase, type Service, until } from '../../helper.js'
import { open, openChat } from './told.js'

onEachDatabase('unread notices', async (t, database) => {
  const { service, told } = await open(t, database, {
    notifyMaxMembers: 4,
    users: ['alice', 'bob', 'carol', 'dave', 'eve'],
  })
  await t.test('who is away and has not read is told, once', (t) => tellOnce(t, service, told))
  await t.test('nobody is told of what they read, wrote, muted or blocked, or what is gone', (t) =>
    tellNothingElse(t, service, told),
  )
  await t.test('in large chats only who is named is told', (t) => tellNamed(t, service, told))
  await t.test('who is here is told when they leave, of what they have not read', (t) =>
    tellOnLeaving(t, service, told),
  )
})

async function tellOnce(t: Test, service: Service, all: UnreadNotice[]): Promise<void> {
  const { told, toldTo, send } = await openChat(service, all, 'room')
  const first = await send('alice', 'hello', { mentions: { userIds: ['bob'] } })
  await until('all are told', () => told().length === 3)
  t.same(toldTo('alice'), [], 'not who sent it')
  const { noticeId, ...notice } = toldTo('bob')[0] as UnreadNotice
  t.type(noticeId, 'string')
  const counts = { unreadCount: 1, unreadMentions: 1, total: 1 }
  t.same(notice, { userId: 'bob', chatId: 'room', fromSeq: 1, throughSeq: 1, ...counts, lastMessage: first })

  const second = await send('carol', 'and more')
  await until('all are told of more', () => told().length === 6)
  t.match(toldTo('bob')[1], { fromSeq: 2, throughSeq: 2, unreadCount: 2, total: 2, lastMessage: { id: second.id } })
  t.match(toldTo('alice')[0], { fromSeq: 2, unreadCount: 1, lastMessage: { id: second.id } })
  t.equal(toldTo('carol').length, 1, 'who has sent has read what was before')
  t.equal(new Set(told().map(({ noticeId }) => noticeId)).size, 6)
}

async function tellNothingElse(t: Test, service: Service, all: UnreadNotice[]): Promise<void> {
  const { toldTo, send, read } = await openChat(service, all, 'quiet')
  const { call } = service
  await call('PUT', '/chats/quiet/settings', { as: 'carol', body: { mutedUntil: '2100-01-01T00:00:00Z' } })
  const sent = await send('alice', 'read in time by bob')
  await read('bob', sent.seq)
  const gone = await send('alice', 'gone in time')
  await call('DELETE', `/messages/${gone.id}`, { as: 'alice' })
  await until('dave is told', () => toldTo('dave').length === 1)
  t.match(toldTo('dave'), [{ fromSeq: 1, throughSeq: 1, unreadCount: 1, lastMessage: { id: sent.id } }])

  await call('PUT', '/users/me/blocks/alice', { as: 'bob' })
  await send('alice', 'from who is blocked')
  await until('dave is told again', () => toldTo('dave').length === 2)
  // As all are decided of together, whoever else was told was told by now.
  t.same(toldTo('bob'), [])
  await send('dave', 'from another')
  await until('bob is told', () => toldTo('bob').length === 1)
  t.match(toldTo('bob'), [{ fromSeq: 4, throughSeq: 4, lastMessage: { content: 'from another' } }])
  t.same(toldTo('carol'), [], 'muted')
  await call('DELETE', '/users/me/blocks/alice', { as: 'bob' })
}

async function tellNamed(t: Test, service: Service, all: UnreadNotice[]): Promise<void> {
  const { told, toldTo, send } = await openChat(service, all, 'large', ['alice', 'bob', 'carol', 'dave', 'eve'])
  await send('alice', 'for nobody')
  await send('alice', 'for bob', { mentions: { userIds: ['bob'] } })
  await until('bob is told', () => toldTo('bob').length === 1)
  t.match(toldTo('bob'), [{ fromSeq: 2, throughSeq: 2, unreadCount: 2, unreadMentions: 1 }])
  t.equal(told().length, 1)
  await send('alice', 'for all', { mentions: { everyone: true } })
  await until('all are told', () => told().length === 5)
  t.match(toldTo('carol'), [{ fromSeq: 3, throughSeq: 3, lastMessage: { content: 'for all' } }])
}

async function tellOnLeaving(t: Test, service: Service, all: UnreadNotice[]): Promise<void> {
  const { toldTo, send, read } = await openChat(service, all, 'here')
  const { socket } = await connect(t, service, 'bob')
  const heard = next(socket, 'new_message')
  const sent = await send('alice', 'while bob is here')
  await heard
  await until('dave is told', () => toldTo('dave').length === 1)
  t.same(toldTo('bob'), [])
  socket.disconnect()
  await until('bob is told', () => toldTo('bob').length === 1)
  t.match(toldTo('bob'), [{ fromSeq: sent.seq, throughSeq: sent.seq, unreadCount: 1 }])

  const carol = await connect(t, service, 'carol')
  const more = await send('alice', 'more')
  await read('carol', more.seq)
  carol.socket.disconnect()
  await until('dave is told again', () => toldTo('dave').length === 2)
  await until('carol has left', async () => !(await service.app.chat.presence.isOnline('carol')))
  await send('alice', 'one more')
  await until('carol is told', () => toldTo('carol').length > 1)
  t.match(toldTo('carol')[1], { fromSeq: more.seq + 1, throughSeq: more.seq + 1 }, 'of nothing that was read')
}
