import t from 'tap'
import { build } from '../helper.js'
import { isEmpty, isOnline, launch, needsChromium, openPage, servePage, waits, write } from './page.js'

t.setTimeout(600_000)

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
  const url = await servePage(t, service.url, service.token('alice'))

  const one = await openPage(context, url)
  const two = await openPage(context, url)
  await write(one, chatId, lines('one', 6))
  await waits(two, 'one 5')
  t.pass('the other tab shows what waits')
  await one.close()
  await isEmpty(two)
  t.pass('the other has sent the rest')

  const three = await openPage(context, url)
  await write(two, chatId, lines('two', 6))
  await waits(three, 'two 5')
  await Promise.all([two.reload(), three.reload()])
  await Promise.all([isOnline(two), isOnline(three)])
  await write(three, chatId, lines('three', 2))
  await isEmpty(three)

  const { body } = await service.call('GET', `/chats/${chatId}/messages`, { as: 'bob' })
  t.same(
    body.messages.map(({ content }: { content: string }) => content),
    [...lines('one', 6), ...lines('two', 6), ...lines('three', 2)],
    'all have arrived once, in order',
  )
  t.same(faults, [])
})
