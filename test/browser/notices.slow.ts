import t from 'tap'
import { build, until } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'

t.setTimeout(600_000)

/** A headless browser shows no notifications, and has the focus for ever: both are doubled. */
const DOUBLES = `
  globalThis.asked = 0
  globalThis.shown = []
  globalThis.Notification = class {
    static permission = 'default'
    static async requestPermission() { asked += 1; return (Notification.permission = 'granted') }
    constructor(title, options) { this.title = title; this.body = options.body; shown.push(this) }
    close() { this.isClosed = true }
  }
  globalThis.isAttended = false
  Document.prototype.hasFocus = () => isAttended`

t.test('notifications of the browser', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true })
  const { log } = service.app.chat
  const founders = ['alice', 'bob']
  const loud = await log.createChat({ type: 'group', title: 'Loud', owner: 'alice', founders })
  const quiet = await log.createChat({ type: 'group', title: 'Quiet', owner: 'alice', founders })
  await log.append({ chatId: loud.chatId, senderId: 'bob', content: 'Old news' })
  const say = (chatId: string, content: string, mentions: { userIds?: string[] } = {}) =>
    log.append({ chatId, senderId: 'bob', content, mentions })

  const { page, faults } = await open(t, browser, service, { as: 'alice', script: DOUBLES })
  const row = (name: string) => page.locator('.chat-row').filter({ hasText: name })
  const shown = () => page.evaluate<string[]>('shown.map(({ title, body }) => title + ": " + body)')
  await row('Loud').waitFor()
  await say(loud.chatId, 'Before anybody was asked')
  await row('Before anybody was asked').waitFor()
  t.same(await page.evaluate('[asked, shown.length]'), [0, 0], 'the page never asks by itself')

  await page.getByRole('button', { name: 'ALICE: status and settings' }).click()
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByRole('switch', { name: 'While this page is open' }).waitFor()
  await row('Quiet').click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Mute for 8 hours' }).click()
  await row('Quiet').getByText('muted', { exact: false }).waitFor({ state: 'attached' })

  await say(loud.chatId, 'Breaking news')
  await until('it is told', async () => (await shown()).join() === 'Loud: BOB: Breaking news')
  await say(quiet.chatId, 'Not for all ears')
  await row('Not for all ears').waitFor()
  await page.evaluate('isAttended = true')
  await say(loud.chatId, 'In plain sight')
  await row('In plain sight').waitFor()
  await page.evaluate('isAttended = false')
  t.same(await shown(), ['Loud: BOB: Breaking news'], 'neither of a muted chat, nor what one looks at')

  await say(quiet.chatId, 'Alice?', { userIds: ['alice'] })
  await until('a mention is told', async () => (await shown()).at(-1)?.startsWith('Quiet: ') === true)
  await page.evaluate('shown.at(-1).onclick()')
  await page.locator('.room').getByText('Not for all ears').waitFor()
  t.equal(await page.evaluate('shown.at(-1).isClosed'), true)

  await page.getByRole('button', { name: 'ALICE: status and settings' }).click()
  await page.getByRole('switch', { name: 'While this page is open' }).click()
  const before = (await shown()).length
  await say(loud.chatId, 'Nobody wants to know')
  await row('Nobody wants to know').waitFor()
  t.equal((await shown()).length, before, 'turned off, it is quiet')
  t.same(faults, [])
})
