import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, type Service, until } from '../helper.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const PATIENCE_MS = 60_000

t.setTimeout(300_000)

const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no Chromium at ${CHROMIUM}; CHROMIUM names another` }

t.test('the page', needsChromium, async (t) => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())

  const service = await build(t, { nodeEnv: 'development', demoData: true, web: true, jwtSecret: undefined })

  await t.test('Alice writes, Bob sees it', async (t) => {
    const { page, faults } = await open(t, browser, service)
    const [alice, bob] = [pane(page, 'Alice'), pane(page, 'Bob')]
    await bob.getByText('Then it is there to stay').waitFor()

    await alice.getByLabel('Message Bob').fill('Are you <b>there</b>?')
    await bob.getByText('Alice is typing…').waitFor()
    await alice.getByLabel('Message Bob').press('Enter')
    await bob.getByText('Are you <b>there</b>?').waitFor()
    await bob.getByLabel('Alice, online, 1 unread').waitFor()
    await alice.getByText('Sent').waitFor()
    t.equal(await alice.getByText('Are you <b>there</b>?').count(), 1, 'the draft became the message')

    await bob.getByLabel('Message Alice').click()
    await bob.getByLabel('Alice, online', { exact: true }).waitFor()
    await alice.getByText('Read').waitFor()
    await bob.getByLabel('Message Alice').fill('Here.')
    await bob.getByRole('button', { name: 'Send' }).click()
    await alice.getByText('Here.').waitFor()
    t.same(faults, [])
  })

  await t.test('a dot tells who is there, and what was missed is there afterwards', async (t) => {
    const { page, faults } = await open(t, browser, service)
    const [alice, bob] = [pane(page, 'Alice'), pane(page, 'Bob')]
    await alice.getByLabel('Bob, online').waitFor()
    await bob.getByRole('button', { name: 'Disconnect' }).click()
    await alice.getByLabel('Bob, offline').waitFor()
    t.ok(await bob.getByLabel('Message Alice').isDisabled())

    await alice.getByLabel('Message Bob').fill('Read this later.')
    await alice.getByLabel('Message Bob').press('Enter')
    await alice.getByText('Sent').waitFor()
    await bob.getByRole('button', { name: 'Connect' }).click()
    await bob.getByText('Read this later.').waitFor()
    await bob.getByLabel('Alice, online', { exact: true }).waitFor()
    await alice.getByLabel('Bob, online').waitFor()
    t.same(faults, [])
  })

  await t.test('a narrow screen shows one side, and what waits on the other', async (t) => {
    const { page, faults } = await open(t, browser, service, { width: 390, height: 780 })
    const [alice, bob] = [pane(page, 'Alice'), pane(page, 'Bob')]
    await alice.getByLabel('Message Bob').fill('On my way.')
    await alice.getByLabel('Message Bob').press('Enter')
    t.notOk(await bob.isVisible())
    const people = page.getByRole('navigation', { name: 'People' })
    await people.getByLabel('Bob, 2 unread').click()
    await bob.getByText('On my way.').waitFor()
    t.notOk(await alice.isVisible())
    const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
    t.same(widths, [390, 390], 'nothing sticks out')
    t.same(faults, [])
  })

  await t.test('without demo tokens one signs in with one’s own', async (t) => {
    const service = await build(t, { web: true })
    const { chatId } = (
      await service.call('POST', '/chats', { as: 'alice', body: { type: 'group', title: 'Crew', memberIds: ['bob'] } })
    ).body.chat
    const { page, faults } = await open(t, browser, service)
    const field = page.getByLabel('Access token')
    await field.fill('nonsense')
    await field.press('Enter')
    await page.getByText('A valid token is needed.').waitFor()
    await field.fill(service.token('bob'))
    await field.press('Enter')
    await pane(page, 'BOB').getByLabel('Message Crew').fill('Aye.')
    await page.keyboard.press('Enter')
    await until('the message is stored', async () => {
      const { body } = await service.call('GET', `/chats/${chatId}/messages`, { as: 'alice' })
      return body.messages.at(-1)?.content === 'Aye.'
    })
    t.same(
      faults.filter((fault) => !fault.includes('404')),
      [],
      'nothing but the missing tokens',
    )
  })
})

const pane = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

/** Opens the page and gathers what a browser complains of: errors, refused requests, breaches of the policy. */
async function open(t: Test, browser: Browser, { url }: Service, viewport = { width: 1_200, height: 800 }) {
  const page = await browser.newPage({ viewport })
  t.teardown(() => page.close())
  page.setDefaultTimeout(PATIENCE_MS)
  const faults: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('requestfailed', (request) => faults.push(`${request.url()} ${request.failure()?.errorText}`))
  await page.goto(url)
  return { page, faults }
}
