import t from 'tap'
import { build } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'

t.setTimeout(600_000)

t.test('the page knows the limits of its service', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true, uploads: 'folder', maxMessageChars: 40, maxUploadBytes: 2_048 })
  const founders = ['alice', 'bob']
  await service.app.chat.log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  const { page, faults } = await open(t, browser, service, { as: 'alice' })
  const field = page.getByRole('textbox', { name: /^Message/ })
  const send = page.getByRole('button', { name: 'Send' })

  await field.fill('x'.repeat(20))
  t.equal(await page.locator('.character-count').count(), 0, 'there is much room')
  // Lengths are counted in code points: each of these is one, and two units.
  await field.fill('😀'.repeat(35))
  await page.getByText('5 characters left').waitFor()
  await field.fill('😀'.repeat(42))
  await page.getByText('2 characters too many: a message has at most 40.').waitFor()
  t.ok(await send.isDisabled())
  await field.fill('😀'.repeat(40))
  await send.click()
  await page.locator('.message', { hasText: '😀'.repeat(40) }).waitFor()

  const chosen = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Attach files' }).click()
  await (await chosen).setFiles({ name: 'large.txt', mimeType: 'text/plain', buffer: Buffer.alloc(2_049, 'x') })
  await page.getByText(/^large.txt is larger than 2 kB\.$/i).waitFor()
  t.same(faults, [])
})

t.test('what one began to write and did not send stands in the list', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true })
  const { log } = service.app.chat
  for (const title of ['Crew', 'Tea']) {
    const { chatId } = await log.createChat({ type: 'group', title, owner: 'alice', founders: ['alice', 'bob'] })
    await log.append({ chatId, senderId: 'bob', content: `Welcome to ${title}` })
  }
  const { page, faults } = await open(t, browser, service, { as: 'alice' })
  const row = (title: string) =>
    page.locator('.chat-row').filter({ has: page.locator('.chat-name', { hasText: title }) })
  const field = (title: string) => page.getByRole('textbox', { name: `Message ${title}` })

  await row('Crew').click()
  await field('Crew').fill('On my <b>way</b>')
  t.equal(await row('Crew').getByText('Draft:').count(), 0, 'not while one writes it')
  await row('Tea').click()
  await row('Crew').getByText('Draft: On my <b>way</b>').waitFor()
  await page.reload()
  await row('Crew').getByText('Draft: On my <b>way</b>').waitFor()
  t.equal(await row('Tea').getByText('Draft:').count(), 0, 'of its chat alone')

  const other = await page.context().newPage()
  await other.addInitScript(`sessionStorage.setItem('token', ${JSON.stringify(service.token('alice'))})`)
  await other.goto(`${service.url}/?lang=ru`)
  const otherRow = other.locator('.chat-row').filter({ hasText: 'Crew' })
  await other.locator('.chat-row').filter({ hasText: 'Tea' }).click()
  await otherRow.getByText('Черновик: On my <b>way</b>').waitFor()

  await row('Crew').click()
  await field('Crew').press('Enter')
  await page.locator('.message', { hasText: 'On my <b>way</b>' }).waitFor()
  await row('Tea').click()
  await row('Crew').getByText('You: On my <b>way</b>').waitFor()
  t.equal(await row('Crew').getByText('Draft:').count(), 0, 'what was sent is no draft')
  await otherRow.getByText('Вы: On my <b>way</b>').waitFor()
  t.same(faults, [])
})
