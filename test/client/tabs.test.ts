import t from 'tap'
import { build } from '../helper.js'
import { isOnline, launch, needsChromium, openPage, servePage, waiting, write } from './page.js'

t.setTimeout(180_000)

const lines = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name} ${i}`)

t.test('two tabs of a browser', needsChromium, async (t) => {
  // So slow that messages wait.
  const service = await build(t, { chatCreation: 'users', rateLimit: 'on', rateSends: '2/1', rateConnects: '100/100' })
  const created = await service.call('POST', '/chats', {
    as: 'alice',
    body: { type: 'group', memberIds: ['bob'], title: 'Tabs' },
  })
  const { chatId } = created.body.chat
  const context = await (await launch(t)).newContext()
  const faults: string[] = []
  context.on('weberror', (error) => faults.push(String(error.error())))
  await servePage(context, service.url, service.token('alice'))

  const one = await openPage(context, service.url)
  const two = await openPage(context, service.url)
  await write(one, chatId, lines('one', 6))
  await waiting(two, 6, true)
  t.pass('the other tab shows what waits, and what is on its way')
  await one.close()
  await two.waitForFunction(() => client.outbox.get().length < 6)
  t.pass('the other goes on')

  await write(two, chatId, lines('two', 4))
  const three = await openPage(context, service.url)
  await three.waitForFunction(() => client.outbox.get().some(({ draft }) => draft.content === 'two 3'))
  await Promise.all([two.reload(), three.reload()])
  await Promise.all([isOnline(two), isOnline(three)])
  await write(three, chatId, lines('three', 2))
  await Promise.all([waiting(two, 0), waiting(three, 0)])

  const { body } = await service.call('GET', `/chats/${chatId}/messages`, { as: 'bob' })
  t.same(
    body.messages.map(({ content }: { content: string }) => content),
    [...lines('one', 6), ...lines('two', 4), ...lines('three', 2)],
    'all have arrived once, in order',
  )
  t.same(faults, [])
})
