import type { Page } from 'playwright-core'
import t from 'tap'
import { build, connect, must, until } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'

t.setTimeout(600_000)

t.test('how somebody is, as the page of another shows it', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true })
  const { log, presence } = service.app.chat
  const { chatId } = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'carol'] })
  await log.append({ chatId, senderId: 'bob', content: 'Hello' })
  const { page, faults } = await open(t, browser, service, { as: 'alice' })
  const header = page.locator('.room-header')
  const rowOf = (name: string) =>
    page.locator('.chat-row').filter({ has: page.locator('.chat-name', { hasText: name }) })
  const row = rowOf('BOB')
  /** Both places that show it, as they read aloud. */
  const says = async (words: RegExp, inRow: string) => {
    await header.getByText(words).waitFor()
    await row.getByText(`, ${inRow}`, { exact: true }).waitFor({ state: 'attached' })
  }
  /** What comes after this was sent after all that was told before: the page has heard that, too. */
  const fence = async (content: string) => {
    await log.append({ chatId, senderId: 'bob', content })
    await page.locator('.room').getByText(content).waitFor()
  }
  const status = (page: Page, name: string) => page.getByRole('radio', { name })

  await row.click()
  await says(/^offline$/, 'offline')
  const phone = await connect(t, service, 'bob')
  await says(/^online$/, 'online')

  await t.test('with two devices he is there until the last has gone', async () => {
    const laptop = await connect(t, service, 'bob')
    await must(laptop.socket, 'set_presence', { status: 'away' })
    await says(/^away$/, 'away')
    await must(phone.socket, 'set_presence', { status: 'online' })
    await says(/^online$/, 'online')
    laptop.socket.disconnect()
    await until('one is gone', () => service.app.io.of('/').sockets.size === 2)
    // Carol's grace ends after that of the device which left before her.
    const carol = await connect(t, service, 'carol')
    await rowOf('CAROL').getByText(', online', { exact: true }).waitFor({ state: 'attached' })
    carol.socket.disconnect()
    await rowOf('CAROL').getByText(', offline', { exact: true }).waitFor({ state: 'attached' })
    t.equal(await header.getByText(/^online$/).count(), 1, 'one device is enough')
    phone.socket.disconnect()
    await says(/^last seen/, 'offline')
    t.notOk(await presence.isOnline('bob'))
  })

  await t.test('invisible he is offline, whatever he does, and his own page says what he chose', async (t) => {
    const { page: his } = await open(t, browser, service, { as: 'bob' })
    await says(/^online$/, 'online')
    await his.getByRole('button', { name: 'BOB: status and settings' }).click()
    await status(his, 'Do not disturb').check()
    await says(/^do not disturb$/, 'do not disturb')
    await status(his, 'Invisible').check()
    await says(/^last seen/, 'offline')
    const seen = await header.getByText(/^last seen/).textContent()
    const other = await connect(t, service, 'bob')
    await fence('Nobody sees me')
    t.equal(await header.getByText(/^last seen/).textContent(), seen, 'another device tells nobody')
    other.socket.disconnect()
    await his.reload()
    await his.getByRole('button', { name: 'BOB: status and settings' }).click()
    await until('it is kept', () => status(his, 'Invisible').isChecked())
    await fence('Nor after a reload')
    t.equal(await header.getByText(/^online$/).count(), 0)
    await status(his, 'Online').check()
    await says(/^online$/, 'online')
  })

  await t.test('of nobody it says how they are while it is cut off itself', async (t) => {
    await connect(t, service, 'bob')
    const { page: cut, context } = await open(t, browser, service, { as: 'alice' })
    const bob = cut.locator('.chat-row').filter({ hasText: 'BOB' })
    await bob.click()
    const places = [cut.locator('.room-header').getByText(/^online$/), bob.getByText(', online', { exact: true })]
    for (const place of places) await place.waitFor({ state: 'attached' })
    await context.setOffline(true)
    for (const { conn, data } of service.app.io.sockets.sockets.values()) if (data.userId === 'alice') conn.close()
    await cut.getByText('You are offline.').waitFor()
    for (const place of places) await place.waitFor({ state: 'detached' })
    await context.setOffline(false)
    for (const place of places) await place.waitFor({ state: 'attached' })
  })
  t.same(faults, [])
})
