import { join } from 'node:path'
import t from 'tap'
import { startChild } from '../../conformance/child.js'
import type { Message } from '../../contract/shapes.js'
import { packageRoot } from '../../services/package-root.js'
import { build, connect, must, until } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'

const EACH = 20
/** Debian's, which has python3-socketio; another Python may come first in the path. */
const PYTHON = ['/usr/bin/python3', join(packageRoot(), 'conformance/clients/client.py')]

t.setTimeout(300_000)

t.test('the page, a stock client and python-socketio in one chat see one order', needsChromium, async (t) => {
  const service = await build(t, { web: true, rateLimit: 'off' })
  const founders = ['alice', 'bob', 'carol']
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', title: 'Three', owner: 'alice', founders })

  const { page, faults } = await open(t, await launch(t), service, { as: 'alice' })
  await page.locator('.chat-row').click()
  const field = page.locator('.composer textarea')
  await field.waitFor()

  const { socket } = await connect(t, service, 'bob')
  const heard: string[] = []
  socket.on('new_message', ({ content }: Message) => heard.push(content ?? ''))

  const python = await startChild(PYTHON)
  t.teardown(python.close)
  await python.order('connect', { url: service.url, token: service.token('carol') })
  await python.order('open', { chatId })
  await until('python is there', async () => (await python.dump()).connection === 'online')

  for (let i = 0; i < EACH; i += 1) {
    await field.fill(`alice ${i}`)
    await Promise.all([
      field.press('Enter'),
      must(socket, 'send_message', { chatId, content: `bob ${i}`, clientMessageId: `bob ${i}` }),
      python.order('send', { chatId, key: `carol ${i}`, content: `carol ${i}` }),
    ])
  }

  let order: string[] = []
  await until('all is stored', async () => {
    const { body } = await service.call('GET', `/chats/${chatId}/messages?limit=200`, { as: 'alice' })
    order = body.messages.map(({ content }: Message) => content)
    return order.length === 3 * EACH
  })
  const inPython = async () => (await python.dump()).chats[chatId]?.messages.map(({ content }) => content)
  const inPage = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('.message .bubble p')].map((text) => text.textContent)`)
  await until('all have all', async () => {
    const counts = [heard.length, (await inPython())?.length, (await inPage()).length]
    return counts.every((count) => count === order.length)
  })
  t.same(heard, order, 'the stock client')
  t.same(await inPython(), order, 'python-socketio')
  t.same(await inPage(), order, 'the page')
  for (const name of ['alice', 'bob', 'carol']) {
    const own = order.filter((content) => content.startsWith(name))
    t.same(
      own,
      Array.from({ length: EACH }, (_, i) => `${name} ${i}`),
      `${name}'s own, in their order`,
    )
  }
  t.same(faults, [])
})
