import type { UnreadNotice } from '../../../contract/notices.js'
import { build, onEachDatabase, until } from '../../helper.js'
import { AFTER_MS, open, openChat } from './told.js'

onEachDatabase(
  'a notice that was not taken comes again as the same, and a restart forgets nobody',
  async (t, database) => {
    const tries: UnreadNotice[] = []
    const { service, told } = await open(t, database)
    const { send } = await openChat(service, told, 'room')
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
  await (await openChat(early, [], 'room')).send('alice', 'long ago')
  await early.host.close()
  const { service, told } = await open(t, database)
  const has = async () => (await service.app.db.run('seen', 'SELECT 1 AS one FROM notice_scans', [])).length === 1
  await until('it scans', has)
  await service.call('POST', '/chats/room/messages', { as: 'alice', body: { content: 'now' } })
  await until('all are told', () => told.length === 3)
  t.match(told, Array(3).fill({ fromSeq: 2, throughSeq: 2, unreadCount: 2 }))
})
