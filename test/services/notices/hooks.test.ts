import { build, onEachDatabase, until } from '../../helper.js'
import { RECEIVER_SECRET, serveReceiver } from '../../helpers/receiver.js'

onEachDatabase('a hook that wants unread notices', async (t, database) => {
  const service = await build(t, { ...database, notifyAfterMs: 200 })
  const receiver = await serveReceiver(t)
  const { log } = service.app.chat
  const founders = ['alice', 'bob']
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders })
  const body = { url: receiver.url, secret: RECEIVER_SECRET, events: ['member.unread'] }
  t.match(await service.call('PUT', '/hooks/main', { as: 'service', body }), { status: 201 })
  const { message } = await log.append({ chatId, senderId: 'alice', content: 'are you there?' })
  await until('the hook is told', () => receiver.told.length > 0)
  t.match(receiver.told, [
    {
      type: 'member.unread',
      data: { userId: 'bob', chatId, fromSeq: 1, throughSeq: 1, unreadCount: 1, lastMessage: { id: message.id } },
    },
  ])
})
