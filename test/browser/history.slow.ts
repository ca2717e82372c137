import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, connect, must, type Service, until } from '../helper.js'
import { launch, needsChromium, open, violationsOf } from './browser.js'
import { fill } from './fill.js'
import { atEnd, holds, messageAt, nodes, placeOfFirst, readSeq, scrollUp } from './history-page.js'

t.setTimeout(300_000)

/** Alice, Bob and Carol with a long history. */
async function setUp(t: Test, count: number, readUpTo = count): Promise<{ service: Service; chatId: string }> {
  const service = await build(t, { web: true })
  const founders = ['alice', 'bob', 'carol']
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  await fill(service, { chatId, count, senders: ['bob', 'bob', 'carol', 'alice'], readUpTo })
  return { service, chatId }
}

/** Has the page believe that one looks elsewhere, or is back. */
const attend = (page: Page, isAttended: boolean): Promise<void> =>
  page.evaluate(`document.hasFocus = () => ${isAttended}; dispatchEvent(new Event('${isAttended ? 'focus' : 'blur'}'))`)

t.test('a long history', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t, 5_000)
  const { socket: bob } = await connect(t, service, 'bob')

  await t.test('older pages come without a jump, and few messages are in the page', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await messageAt(page, 5_000).waitFor()
    await holds(page, atEnd)
    let most = 0
    for (let round = 0; round < 20; round++) {
      const { seq, loaded } = await scrollUp(page)
      const [before, after] = await placeOfFirst(page)
      t.ok(Math.abs(after - before) <= 1, `message ${seq} stays where it is: ${before} to ${after}, ${loaded} older`)
      most = Math.max(most, await nodes(page))
    }
    t.ok(
      (await page.evaluate<number>(`Number(document.querySelector('.message').dataset.seq)`)) < 4_750,
      'it went up by far',
    )
    t.ok(most > 100 && most <= 200, `${most} messages in the page`)
    t.equal(await readSeq(service, chatId, 'alice'), 5_000)
    t.same(faults, [])
  })

  await t.test('what comes while one is scrolled up is not read, but counted on the way down', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await messageAt(page, 5_000).waitFor()
    await holds(page, atEnd)
    await scrollUp(page)
    const before = await readSeq(service, chatId, 'alice')
    await must(bob, 'send_message', { chatId, content: 'Down here' })
    await must(bob, 'send_message', { chatId, content: 'And here' })
    await page.getByRole('button', { name: 'To the latest message, 2 unread' }).waitFor()
    await page.getByRole('log').getByText('BOB: And here').waitFor({ state: 'attached' })
    t.equal(await readSeq(service, chatId, 'alice'), before)
    await page.getByRole('button', { name: /To the latest message/ }).click()
    await holds(page, atEnd)
    await until('both are read', async () => (await readSeq(service, chatId, 'alice')) === before + 2)
    t.equal(await page.getByRole('button', { name: /To the latest message/ }).count(), 0)
    t.same(faults, [])
  })

  await t.test('what comes while one looks elsewhere is read when one is back, below a line', async (t) => {
    const { page } = await open(t, browser, service, { as: 'alice' })
    await holds(page, atEnd)
    await attend(page, false)
    const before = await readSeq(service, chatId, 'alice')
    await must(bob, 'send_message', { chatId, content: 'While you were away' })
    await page.locator('.history').getByText('While you were away').waitFor()
    await page.locator('.new-line').waitFor()
    // A mark for the first would be there before the second is.
    await must(bob, 'send_message', { chatId, content: 'Still there?' })
    await page.locator('.history').getByText('Still there?').waitFor()
    t.equal(await readSeq(service, chatId, 'alice'), before)
    await attend(page, true)
    await until('it is read', async () => (await readSeq(service, chatId, 'alice')) === before + 2)
    t.equal(await page.locator('.new-line').count(), 1)
  })

  await t.test('a jump goes far up, shows what is around, and leads back', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await holds(page, atEnd)
    await page.getByRole('button', { name: 'Search in this chat' }).click()
    const field = page.getByRole('searchbox', { name: 'Search in this chat' })
    await field.fill('Number 2345')
    await page.locator('.room-search mark').first().waitFor()
    await field.press('Enter')
    await messageAt(page, 2_345).waitFor()
    const box = await messageAt(page, 2_345).boundingBox()
    t.ok(box && box.y > 100 && box.y < 700, 'it is in view')
    await messageAt(page, 2_344).waitFor()
    const moved = `[...document.querySelectorAll('*')].filter((e) => e.scrollTop > 0).map((e) => e.className)`
    t.same(await page.evaluate(moved), ['history'], 'nothing else is scrolled')
    await field.press('Escape')
    await field.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'To the latest message' }).click()
    await page.locator('.history').getByText('Still there?').waitFor()
    await holds(page, atEnd)
    t.ok((await nodes(page)) <= 200)
    t.same(faults, [])
  })

  await t.test('arrows move through the messages, End goes to the last', async (t) => {
    const { page } = await open(t, browser, service, { as: 'alice' })
    await holds(page, atEnd)
    const focused = () => page.evaluate<number>(`Number(document.activeElement?.dataset.seq ?? 0)`)
    await page.locator('.message').last().focus()
    const last = await focused()
    for (let seq = last - 1; seq >= last - 60; seq--) {
      // What is above comes a page at a time.
      await messageAt(page, seq).waitFor({ state: 'attached' })
      await page.keyboard.press('ArrowUp')
      await holds(page, `Number(document.activeElement?.dataset.seq) === ${seq}`)
    }
    await page.keyboard.press('ArrowDown')
    t.equal(await focused(), last - 59)
    await page.keyboard.press('End')
    await holds(page, atEnd)
    t.equal(await focused(), last)
  })
})

t.test('a chat with much unread', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t, 500, 300)

  await t.test('it opens at the first that is new; what is below is not read', async (t) => {
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await page.locator('.new-line').waitFor()
    const top = (await page.locator('.new-line').boundingBox())?.y ?? 0
    t.ok(top > 60 && top < 400, `the line is at the top: ${top}`)
    await until('what is seen is read', async () => (await readSeq(service, chatId, 'alice')) > 300)
    t.ok((await readSeq(service, chatId, 'alice')) < 340, 'and no more')
    await page.getByRole('button', { name: /To the latest message/ }).click()
    await until('all is read', async () => (await readSeq(service, chatId, 'alice')) === 500)
    t.same(faults, [])
  })

  await t.test('pins stand above, and lead to their messages', async (t) => {
    const { messages } = (await service.call('GET', `/chats/${chatId}/messages?aroundSeq=40&limit=3`, { as: 'bob' }))
      .body
    const { socket } = await connect(t, service, 'alice')
    const { page, faults } = await open(t, browser, service, { as: 'bob' })
    await page.locator('.message').first().waitFor()
    for (const { id } of messages) await must(socket, 'pin_message', { messageId: id })
    await page.getByRole('button', { name: 'All (3)' }).click()
    const dialog = page.getByRole('dialog', { name: 'Pinned messages' })
    await dialog.locator('.hit').last().click()
    await dialog.waitFor({ state: 'detached' })
    await messageAt(page, messages[0].seq).waitFor()
    for (const { id } of messages) await must(socket, 'unpin_message', { messageId: id })
    await page.getByRole('region', { name: 'Pinned messages' }).waitFor({ state: 'detached' })
    t.same(faults, [])
  })

  await t.test('who types is told in a line that moves nothing', async (t) => {
    const { page } = await open(t, browser, service, { as: 'alice' })
    await holds(page, atEnd)
    const heights = () =>
      page.evaluate(`[...document.querySelectorAll('.room-header, .history')].map((e) => e.clientHeight)`)
    const before = await heights()
    for (const userId of ['bob', 'carol']) {
      const { socket } = await connect(t, service, userId)
      await must(socket, 'typing', { chatId, isTyping: true })
    }
    await page.getByText('BOB and CAROL are typing…').waitFor()
    t.same(await heights(), before)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`axe finds nothing, ${colorScheme}`, async (t) => {
      const { page } = await open(t, browser, service, { as: 'alice', colorScheme })
      await holds(page, atEnd)
      await page.getByRole('button', { name: 'Search in this chat' }).click()
      await page.getByRole('searchbox', { name: 'Search in this chat' }).fill('Number')
      await page.locator('.room-search mark').first().waitFor()
      t.same(await violationsOf(page), [])
    })
  }
})
