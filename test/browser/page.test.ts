import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, type Service, until } from '../helper.js'
import { launch, needsChromium, open, violationsOf } from './browser.js'

t.setTimeout(300_000)

const row = (page: Page | Locator, name: RegExp): Locator => page.locator('.chat-row').filter({ hasText: name })
const person = (page: Page, name: string): Locator => page.locator(`section.person[aria-label="${name}"]`)
const names = (page: Page): Promise<string[]> => page.locator('.chat-name').allInnerTexts()

/** Waits for the list to be in this order. */
function inOrder(page: Page, expected: string[]): Promise<void> {
  return until(`the list is ${expected}`, async () => (await names(page)).join() === expected.join())
}

/** Alice with Bob alone, and in two groups: the last to speak stands first. */
async function setUp(t: Test): Promise<{ service: Service; pairId: string; crewId: string }> {
  const service = await build(t, { web: true, chatCreation: 'users' })
  const { log } = service.app.chat
  const founders = ['alice', 'bob', 'carol']
  const quiet = await log.createChat({ type: 'group', title: 'Quiet', owner: 'alice', founders })
  const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  const crew = await log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  await log.append({ chatId: quiet.chatId, senderId: 'carol', content: 'A word about marmalade' })
  await log.append({ chatId: pair.chatId, senderId: 'bob', content: 'Hello Alice' })
  await log.append({ chatId: crew.chatId, senderId: 'carol', content: 'Hello crew' })
  return { service, pairId: pair.chatId, crewId: crew.chatId }
}

t.test('the page', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, pairId, crewId } = await setUp(t)

  await t.test('two people: what one writes comes up in the list of the other', async (t) => {
    const alice = await open(t, browser, service, { as: 'alice' })
    const bob = await open(t, browser, service, { as: 'bob' })
    await inOrder(bob.page, ['Crew', 'ALICE', 'Quiet'])
    await row(bob.page, /Quiet/).click()
    await row(alice.page, /BOB/).click()
    await alice.page.getByLabel('Message BOB').fill('Are you <b>there</b>?')
    await alice.page.keyboard.press('Enter')

    await inOrder(bob.page, ['ALICE', 'Crew', 'Quiet'])
    await row(bob.page, /Are you <b>there<\/b>\?.*1 unread/s).waitFor()
    await until('the title tells', async () => (await bob.page.title()) === '(1) Chat')
    await row(alice.page, /BOB, online.*sent/s).waitFor()
    await row(bob.page, /ALICE/).click()
    await bob.page.locator('.room').getByText('Are you <b>there</b>?').waitFor()
    await row(alice.page, /BOB.*read/s).waitFor()
    t.same([...alice.faults, ...bob.faults], [])
  })

  await t.test('without a connection a banner says so, and what is written arrives later', async (t) => {
    const { page, context } = await open(t, browser, service, { as: 'alice' })
    await row(page, /BOB/).click()
    await page.getByLabel('Message BOB').waitFor()
    await context.setOffline(true)
    for (const socket of service.app.io.sockets.sockets.values()) socket.conn.close()
    await page.getByText('You are offline.').waitFor()
    await page.getByLabel('Message BOB').fill('From the tunnel')
    await page.keyboard.press('Enter')
    await row(page, /not sent yet.*From the tunnel/s).waitFor()
    await context.setOffline(false)
    await row(page, /sent.*From the tunnel/s).waitFor()
    await page.getByText('You are offline.').waitFor({ state: 'detached' })
    const { body } = await service.call('GET', `/chats/${pairId}/messages`, { as: 'bob' })
    t.equal(body.messages.filter(({ content }: { content: string }) => content === 'From the tunnel').length, 1)
  })

  await t.test('settings of a chat sort, mute and put away', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'carol' })
    await inOrder(page, ['Crew', 'Quiet'])
    const pick = async (chat: string, item: string): Promise<void> => {
      await row(page, new RegExp(chat)).click({ button: 'right' })
      await page.getByRole('menuitem', { name: item }).click()
    }
    await pick('Quiet', 'Pin')
    await inOrder(page, ['Quiet', 'Crew'])
    await pick('Crew', 'Mute for 8 hours')
    await row(page, /Crew.*muted/s).waitFor()
    await pick('Crew', 'Archive')
    await inOrder(page, ['Quiet'])
    await page.getByRole('radio', { name: 'Archived' }).check()
    await inOrder(page, ['Crew'])
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Nothing archived').waitFor()
    const { body } = await service.call('GET', `/chats/${crewId}`, { as: 'carol' })
    t.match(body.chat.settings, { isArchived: false, isPinned: false })
    t.ok(body.chat.settings.mutedUntil)
    t.same(faults, [])
  })

  await t.test('the search finds words in all chats, and jumps there', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    const field = page.getByRole('searchbox', { name: 'Search' })
    await field.fill('marmalade')
    await page.locator('mark', { hasText: 'marmalade' }).waitFor()
    await field.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('.room').getByText('A word about marmalade').waitFor()
    await field.fill('xyzzy')
    await page.getByText('Nothing found for “xyzzy”').waitFor()
    await field.press('Escape')
    await inOrder(page, await names(page))
    t.equal(await field.inputValue(), '')
    t.same(faults, [])
  })

  await t.test('the sheet of a group: roles, adding, removing', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await row(page, /Crew/).click()
    await page.getByRole('button', { name: 'About this chat' }).click()
    const sheet = page.getByRole('region', { name: 'About this chat' })
    await sheet.getByText('3 members').waitFor()
    await sheet.getByRole('button', { name: 'Actions for BOB' }).click()
    await page.getByRole('menuitem', { name: 'Make admin' }).click()
    await sheet.getByRole('listitem').filter({ hasText: 'BOB' }).getByText('Admin').waitFor()
    await sheet.getByRole('button', { name: 'Actions for CAROL' }).click()
    await page.getByRole('menuitem', { name: 'Remove from the chat' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove from the chat' }).click()
    await sheet.getByText('2 members').waitFor()
    await sheet.getByRole('button', { name: 'Add people' }).click()
    await sheet.getByLabel('User ids').fill('dave, carol')
    await page.keyboard.press('Enter')
    await sheet.getByText('4 members').waitFor()
    const { body } = await service.call('GET', `/chats/${crewId}/members`, { as: 'bob' })
    const roles = body.members.map(({ user, role }: { user: { userId: string }; role: string }) => [user.userId, role])
    t.same(Object.fromEntries(roles), { alice: 'owner', bob: 'admin', carol: 'member', dave: 'member' })
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    t.same(faults, [])
  })

  await t.test('a new group, and the way out of it', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'dave' })
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByRole('radio', { name: 'Group' }).check()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('Give the group a name.').waitFor()
    await page.getByLabel('Name of the group').fill('Choir')
    await page.getByLabel('User ids').fill('alice')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.locator('.room').getByText('Choir').waitFor()
    await page.getByRole('button', { name: 'About this chat' }).click()
    await page.getByRole('button', { name: 'Leave the chat' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Leave the chat' }).click()
    await row(page, /Choir/).waitFor({ state: 'detached' })
    t.same(faults, [])
  })

  await t.test('signing in, with what is no token and with one; and out', async (t) => {
    const { page } = await open(t, browser, service)
    await page.getByLabel('Access token').fill('nonsense')
    await page.keyboard.press('Enter')
    await page.getByText('This token is not valid.').waitFor()
    await page.getByLabel('Access token').fill(service.token('bob'))
    await page.keyboard.press('Enter')
    await person(page, 'BOB').waitFor()
    await page.reload()
    await person(page, 'BOB').waitFor()
    await page.getByRole('button', { name: 'BOB: status and settings' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Access token').waitFor()
    t.equal(await page.evaluate(`sessionStorage.getItem('token')`), null)
  })

  await t.test('the language and the theme are a choice that stays', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'bob' })
    await page.getByRole('button', { name: 'BOB: status and settings' }).click()
    await page.getByRole('radio', { name: 'Русский' }).check()
    await page.getByRole('radio', { name: 'Тёмное' }).check()
    await page.reload()
    await page.getByRole('navigation', { name: 'Чаты' }).waitFor()
    t.same(await page.evaluate('[document.documentElement.lang, document.documentElement.dataset.theme]'), [
      'ru',
      'dark',
    ])
    t.same(faults, [])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`axe has nothing to say, ${colorScheme}`, async (t) => {
      const { page, faults } = await open(t, browser, service, { as: 'alice', colorScheme, reducedMotion: 'reduce' })
      await row(page, /Crew/).click()
      await page.locator('.room').getByText('Hello crew').waitFor()
      const check = async (view: string) => t.same(await violationsOf(page), [], view)
      await check('list and room')
      await row(page, /BOB/).click({ button: 'right' })
      await page.getByRole('menu').waitFor()
      await check('menu of a chat')
      await page.keyboard.press('Escape')
      await page.getByRole('searchbox', { name: 'Search' }).fill('hello')
      await page.locator('mark').first().waitFor()
      await check('search')
      await page.getByRole('button', { name: 'Clear the search' }).click()
      await page.getByRole('button', { name: 'About this chat' }).click()
      await page.getByRole('button', { name: 'Add people' }).click()
      await check('about a chat')
      await page.getByRole('button', { name: 'Leave the chat' }).click()
      await check('a question')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'ALICE: status and settings' }).click()
      await check('about oneself')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'New chat' }).click()
      await check('new chat')
      await page.keyboard.press('Escape')
      await page.locator('.message').filter({ hasText: 'Hello crew' }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Report' }).click()
      await check('a report')
      await page.keyboard.press('Escape')
      await page.getByRole('radio', { name: 'Archived' }).check()
      await check('an empty list')
      const signIn = await open(t, browser, service, { colorScheme })
      await signIn.page.getByLabel('Access token').waitFor()
      t.same(await violationsOf(signIn.page), [], 'sign-in')
      t.same(faults, [])
    })
  }
})

t.test('the demo', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { nodeEnv: 'development', demoData: true, web: true, jwtSecret: undefined })

  await t.test('two people side by side, each an app of their own', async (t) => {
    const { page, faults } = await open(t, browser, service, { viewport: { width: 1_440, height: 900 } })
    const [alice, bob] = [person(page, 'Alice'), person(page, 'Bob')]
    await bob.locator('.room').getByText('Then it is there to stay').waitFor()
    await alice.getByLabel('Message Bob').fill('Side by side')
    await alice.getByLabel('Message Bob').press('Enter')
    await bob.locator('.room').getByText('Side by side').waitFor()
    await row(alice, /Bob, online/).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      t.same(await violationsOf(page), [], `axe has nothing to say, ${colorScheme}`)
    }
    t.same(faults, [])
  })

  await t.test('a narrow screen shows one, and what waits for the other', async (t) => {
    const { page, faults } = await open(t, browser, service, { viewport: { width: 390, height: 844 }, hasTouch: true })
    const alice = person(page, 'Alice')
    await row(alice, /Bob/).click()
    await alice.getByLabel('Message Bob').fill('On my way')
    // On a touch screen Enter begins a line.
    await alice.getByRole('button', { name: 'Send', exact: true }).click()
    t.notOk(await person(page, 'Bob').isVisible())
    await page
      .getByRole('navigation', { name: 'People of the demo' })
      .getByRole('button', { name: /Bob.*unread/s })
      .click()
    await row(person(page, 'Bob'), /On my way/).click()
    await person(page, 'Bob').locator('.room').getByText('On my way').waitFor()
    await person(page, 'Bob').getByRole('button', { name: 'Back to the chats' }).click()
    await row(person(page, 'Bob'), /Alice/).waitFor()
    t.same(await page.evaluate('[document.documentElement.scrollWidth, innerWidth]'), [390, 390], 'nothing sticks out')
    const small = `[...document.querySelectorAll('button, input:not([type=radio], [type=checkbox])')]
      .filter((element) => element.checkVisibility()).map((element) => element.getBoundingClientRect())
      .filter(({ width, height }) => width > 0 && (height < 42 || width < 42)).length`
    t.equal(await page.evaluate(small), 0, 'a finger hits everything')
    t.same(faults, [])
  })
})
