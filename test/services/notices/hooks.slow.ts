import { setTimeout as sleep } from 'node:timers/promises'
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
  // Counted is what comes once the scan has begun, which a hook that wants to hear of it begins.
  await until('the hook is told', async () => {
    await log.append({ chatId, senderId: 'alice', content: 'are you there?' })
    await sleep(100)
    return receiver.told.length > 0
  })
  t.match(receiver.told[0], {
    type: 'member.unread',
    data: { userId: 'bob', chatId, lastMessage: { content: 'are you there?' } },
  })
})
