import type { Test } from 'tap'
import type { UnreadNotice } from '../../../contract/notices.js'
import { UnreadNotice as Shape } from '../../../contract/notices.js'
import { compile } from '../../../services/validator.js'
import { build, connect, type DatabaseOptions, next, onEachDatabase, type Service, until } from '../../helper.js'

const AFTER_MS = 300
const fits = compile(Shape)

/** A service that tells its host, what it told, and a chat of all its people. */
async function open(t: Test, database: DatabaseOptions, options: Parameters<typeof build>[1] = {}) {
  const told: UnreadNotice[] = []
  const onUnread = (notice: UnreadNotice) => {
    if (!fits(notice)) t.fail('a notice does not fit its schema', { notice, errors: fits.errors })
    told.push(notice)
  }
  const service = await build(t, { ...database, notifyAfterMs: AFTER_MS, onUnread, ...options })
  return {
    service,
    told,
    ...(await openChat(service, 'room')),
    toldTo: (userId: string) => told.filter((one) => one.userId === userId),
  }
}

async function openChat(service: Service, chatId: string, memberIds = ['alice', 'bob', 'carol', 'dave']) {
  await service.call('POST', '/chats', { as: 'service', body: { type: 'group', chatId, memberIds } })
  const send = async (as: string, content: string, more: object = {}) => {
    const { body } = await service.call('POST', `/chats/${chatId}/messages`, { as, body: { content, ...more } })
    return body.message
  }
  const read = (as: string, upToSeq: number) => service.call('POST', `/chats/${chatId}/read`, { as, body: { upToSeq } })
  return { send, read }
}

onEachDatabase('who is away and has not read is told, once', async (t, database) => {
  const { told, toldTo, send } = await open(t, database)
  const first = await send('alice', 'hello', { mentions: { userIds: ['bob'] } })
  await until('all are told', () => told.length === 3)
  t.same(toldTo('alice'), [], 'not who sent it')
  const { noticeId, ...notice } = toldTo('bob')[0] as UnreadNotice
  t.type(noticeId, 'string')
  const seqs = { fromSeq: 1, throughSeq: 1 }
  t.same(notice, {
    userId: 'bob',
    chatId: 'room',
    ...seqs,
    unreadCount: 1,
    unreadMentions: 1,
    total: 1,
    lastMessage: first,
  })

  const second = await send('carol', 'and more')
  await until('all are told of more', () => told.length === 6)
  t.match(toldTo('bob')[1], { fromSeq: 2, throughSeq: 2, unreadCount: 2, total: 2, lastMessage: { id: second.id } })
  t.match(toldTo('alice')[0], { fromSeq: 2, unreadCount: 1, lastMessage: { id: second.id } })
  t.equal(toldTo('carol').length, 1, 'who has sent has read what was before')
  t.equal(new Set(told.map(({ noticeId }) => noticeId)).size, 6)
})

onEachDatabase('nobody is told of what they read, wrote, muted, blocked, or what is gone', async (t, database) => {
  const { service, toldTo, send, read } = await open(t, database)
  const { call } = service
  await call('PUT', '/chats/room/settings', { as: 'carol', body: { mutedUntil: '2100-01-01T00:00:00Z' } })
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
  t.same(toldTo('carol'), [])
  await send('dave', 'from another')
  await until('bob is told', () => toldTo('bob').length === 1)
  t.match(toldTo('bob'), [{ fromSeq: 4, throughSeq: 4, lastMessage: { content: 'from another' } }])
  t.same(toldTo('carol'), [], 'muted')
})

onEachDatabase('who is here is not told until they leave, and then of what they have not read', async (t, database) => {
  const { service, toldTo, send, read } = await open(t, database)
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
})

onEachDatabase('in large chats only who is named is told', async (t, database) => {
  const { toldTo, told, send } = await open(t, database, { notifyMaxMembers: 3 })
  await send('alice', 'for nobody')
  await send('alice', 'for bob', { mentions: { userIds: ['bob'] } })
  await until('bob is told', () => toldTo('bob').length === 1)
  t.match(toldTo('bob'), [{ fromSeq: 2, throughSeq: 2, unreadCount: 2, unreadMentions: 1 }])
  t.equal(told.length, 1)
  await send('alice', 'for all', { mentions: { everyone: true } })
  await until('all are told', () => told.length === 4)
  t.match(toldTo('carol'), [{ fromSeq: 3, throughSeq: 3, lastMessage: { content: 'for all' } }])
})

onEachDatabase(
  'a notice that was not taken comes again as the same, and a restart forgets nobody',
  async (t, database) => {
    const tries: UnreadNotice[] = []
    const { service, told, send } = await open(t, database)
    service.app.chat.notices.addSink({
      name: 'deaf',
      async deliver(notice) {
        tries.push(notice)
        if (tries.length <= 3) throw new Error('not now')
      },
    })
    await send('alice', 'hello')
    await until('all are told again', () => tries.length === 6)
    const ids = (all: UnreadNotice[]) => all.map(({ noticeId }) => noticeId).sort()
    t.same(ids(tries.slice(3)), ids(tries.slice(0, 3)))
    t.same(ids(told.slice(3)), ids(told.slice(0, 3)), 'by whoever comes before it, too')

    await send('alice', 'just before the end')
    await service.host.close()
    const again: UnreadNotice[] = []
    await build(t, { ...database, notifyAfterMs: AFTER_MS, onUnread: (notice) => void again.push(notice) })
    await until('all are told by the next', () => again.length === 3)
    t.match(again, Array(3).fill({ fromSeq: 2, throughSeq: 2, unreadCount: 2 }))
  },
)

onEachDatabase('what was there before anybody listened is nobody’s notice', async (t, database) => {
  const early = await build(t, { ...database, notifyAfterMs: AFTER_MS })
  const { send } = await openChat(early, 'room')
  await send('alice', 'long ago')
  await early.host.close()
  const told: UnreadNotice[] = []
  const later = await build(t, { ...database, notifyAfterMs: AFTER_MS, onUnread: (notice) => void told.push(notice) })
  await openChat(later, 'room')
  await until(
    'it scans',
    async () => (await later.app.db.run('seen', 'SELECT 1 AS one FROM notice_scans', [])).length === 1,
  )
  await later.call('POST', '/chats/room/messages', { as: 'alice', body: { content: 'now' } })
  await until('all are told', () => told.length === 3)
  t.match(told, Array(3).fill({ fromSeq: 2, throughSeq: 2, unreadCount: 2 }))
})
