import type { Locator, Page } from 'playwright-core'
import t from 'tap'
import { build, until } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'

t.setTimeout(600_000)

const row = (page: Page, name: string): Locator =>
  page.locator('.chat-row').filter({ has: page.locator('.chat-name', { hasText: name }) })

t.test('people one does not want to hear, and hands that hold no mouse', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true })
  const { log } = service.app.chat
  const founders = ['alice', 'bob', 'carol']
  const crew = await log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  await log.append({ chatId: pair.chatId, senderId: 'bob', content: 'Buy my watches' })
  await log.append({ chatId: crew.chatId, senderId: 'carol', content: 'Hello crew' })

  await t.test('block, and unblock from the own sheet', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await row(page, 'BOB').click()
    await page.getByRole('button', { name: 'About this chat' }).click()
    await page.getByRole('button', { name: 'Block', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click()
    await page.getByText('You have blocked this person.').waitFor()
    const send = () =>
      service.call('POST', `/chats/${pair.chatId}/messages`, { as: 'bob', body: { content: 'Watches!' } })
    t.match(await send(), { status: 403 }, 'the server knows')
    await page.getByRole('button', { name: 'ALICE: status and settings' }).click()
    const blocked = page.locator('.info-part').filter({ hasText: 'Blocked people' })
    await blocked.getByText('BOB').waitFor()
    await blocked.getByRole('button', { name: 'Unblock' }).click()
    await blocked.getByText('You have blocked nobody.').waitFor()
    t.match(await send(), { status: 201 })
    t.same(faults, [])
  })

  await t.test('ban from a group, and let in again', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await row(page, 'Crew').click()
    await page.getByRole('button', { name: 'About this chat' }).click()
    const sheet = page.getByRole('region', { name: 'About this chat' })
    await sheet.getByRole('button', { name: 'Actions for CAROL' }).click()
    await page.getByRole('menuitem', { name: 'Ban' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Ban' }).click()
    await sheet.getByText('2 members').waitFor()
    const add = () =>
      service.call('POST', `/chats/${crew.chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
    t.match(await add(), { status: 409 }, 'who is banned is not added')
    await sheet.getByRole('button', { name: 'Unban' }).click()
    await sheet.getByRole('button', { name: 'Unban' }).waitFor({ state: 'detached' })
    t.match((await add()).status, 200)
    t.same(faults, [])
  })

  await t.test('report a message', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await row(page, 'BOB').click()
    await page.locator('.message').filter({ hasText: 'Buy my watches' }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Report' }).click()
    await page.getByRole('radio', { name: 'Insult or threat' }).check()
    await page.getByLabel('Comment (may be left out)').fill('No watch was asked for')
    await page.getByRole('dialog').getByRole('button', { name: 'Report' }).click()
    await page.getByText('The message was reported.').waitFor()
    const { body } = await service.call('GET', '/reports', { as: 'service' })
    t.match(body.reports, [{ reason: 'abuse', comment: 'No watch was asked for' }])
    t.same(faults, [])
  })

  await t.test('by keyboard alone: arrows move, Enter opens, Esc gives the focus back', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await row(page, 'BOB').waitFor()
    const focused = () => page.evaluate<string>(`document.activeElement.querySelector('.chat-name')?.textContent ?? ''`)
    const names = await page.locator('.chat-name').allInnerTexts()
    await page.getByRole('searchbox', { name: 'Search' }).focus()
    await page.keyboard.press('ArrowDown')
    t.equal(await focused(), names[0])
    await page.keyboard.press('ArrowDown')
    t.equal(await focused(), names[1])
    await page.keyboard.press('Home')
    await page.keyboard.press('End')
    t.equal(await focused(), names.at(-1))
    await page.keyboard.press('Enter')
    await page
      .locator('.chat-row[aria-current]')
      .filter({ hasText: names.at(-1) })
      .waitFor()

    await row(page, names.at(-1) as string).focus()
    await page.keyboard.press('Shift+F10')
    await page.getByRole('menu').waitFor()
    const item = () => page.evaluate<string>('document.activeElement.textContent')
    const first = await item()
    await page.keyboard.press('ArrowDown')
    t.not(await item(), first)
    await page.keyboard.press('Home')
    t.equal(await item(), first)
    await page.keyboard.press('Escape')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    t.equal(await focused(), names.at(-1), 'the focus is where it was')

    await page.getByRole('button', { name: 'New chat' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    t.equal(await page.evaluate('document.activeElement.ariaLabel'), 'New chat')
    t.same(faults, [])
  })

  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    await t.test(`a row that comes up: ${reducedMotion}`, async (t) => {
      const script = `globalThis.glides = 0
        const { animate } = Element.prototype
        Element.prototype.animate = function (...given) {
          if (this.matches('.chat-item')) glides += 1
          return animate.apply(this, given)
        }`
      const { page } = await open(t, browser, service, { as: 'alice', reducedMotion, script })
      const names = () => page.locator('.chat-name').allInnerTexts()
      await row(page, 'BOB').waitFor()
      const last = (await names()).at(-1) as string
      const chatId = last === 'Crew' ? crew.chatId : pair.chatId
      await log.append({ chatId, senderId: 'bob', content: 'Up' })
      await until('it is first', async () => (await names())[0] === last)
      const glides = await page.evaluate<number>('glides')
      t.equal(glides > 0, reducedMotion === 'no-preference')
      const duration = `getComputedStyle(document.documentElement).getPropertyValue('--motion')`
      t.equal(await page.evaluate(`parseFloat(${duration}) === 0`), reducedMotion === 'reduce')
    })
  }
})
