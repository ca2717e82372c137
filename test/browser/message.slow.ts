import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, connect, must, type Service, until } from '../helper.js'
import { launch, needsChromium, open, violationsOf } from './browser.js'
import { holds } from './history-page.js'

t.setTimeout(300_000)

const field = (page: Page) => page.getByRole('textbox', { name: /^Message/ })
const row = (page: Page, text: string) => page.locator('.message', { hasText: text })

async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text)
  await field(page).press('Enter')
}

async function contents({ call }: Service, chatId: string): Promise<(string | null)[]> {
  const { messages } = (await call('GET', `/chats/${chatId}/messages`, { as: 'alice' })).body
  return messages.map(({ content }: { content: string | null }) => content)
}

/** A group of Alice, Bob and Carol; Bob writes by a socket. */
async function setUp(t: Test) {
  const service = await build(t, { web: true })
  const founders = ['alice', 'bob', 'carol']
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  const { socket: bob } = await connect(t, service, 'bob')
  return { service, chatId, bob }
}

t.test('a message', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId, bob } = await setUp(t)
  const { page, faults } = await open(t, browser, service, { as: 'alice' })
  const send = async (content: string, more: object = {}) =>
    (await must(bob, 'send_message', { chatId, content, ...more })).message
  await page.getByText('Say hello').waitFor()

  await t.test('says what was written as text, with safe links, in its own direction', async (t) => {
    await send('<b>bold</b> see https://example.com/a_(b)?q=1, or (http://example.org/x).\nA second line')
    const first = row(page, 'A second line')
    await first.waitFor()
    t.equal(await first.locator('b').count(), 0)
    const hrefs = await page.evaluate<string[][]>(
      `[...document.querySelectorAll('.message a')].map((a) => [a.getAttribute('href'), a.getAttribute('rel')])`,
    )
    const rel = 'noopener noreferrer nofollow'
    t.same(hrefs, [
      ['https://example.com/a_(b)?q=1', rel],
      ['http://example.org/x', rel],
    ])
    t.match(await first.locator('p').innerText(), /\nA second line$/)

    await send('No javascript:alert(1), no https://bank.example@evil.example/ and no https://\u202Ereversed')
    await row(page, 'No javascript').waitFor()
    t.equal(await row(page, 'No javascript').locator('a').count(), 0)

    await send('مرحبا بالعالم')
    const arabic = row(page, 'مرحبا').locator('p')
    t.equal(await arabic.getAttribute('dir'), 'auto')
    t.equal(await page.evaluate(`getComputedStyle(document.querySelector('.message:last-child p')).direction`), 'rtl')
    t.equal(await page.locator('.message').count(), await page.locator('.message time').count(), 'each tells its time')
  })

  await t.test('tells whom it names, and that it was edited or deleted', async (t) => {
    const message = await send('Hello @ALICE and @ALICIA', { mentions: { userIds: ['alice'] } })
    await row(page, 'Hello @ALICE').waitFor()
    t.same(await row(page, 'Hello @ALICE').locator('.mention').allInnerTexts(), ['@ALICE'])
    await must(bob, 'edit_message', { messageId: message.id, content: 'Goodbye' })
    await row(page, 'Goodbye').getByText('edited').waitFor()
    await must(bob, 'delete_message', { messageId: message.id })
    const place = page.locator(`.message[data-seq="${message.seq}"]`)
    await place.getByText('Message deleted').waitFor()
    await place.hover()
    t.equal(await place.locator('.message-tools').count(), 0, 'nothing can be done with it')
  })

  await t.test('tells when it was read, and by whom', async (t) => {
    await say(page, 'Who reads this?')
    const mine = row(page, 'Who reads this?')
    await mine.getByText('sent', { exact: true }).waitFor({ state: 'attached' })
    const { seq } = (await service.call('GET', `/chats/${chatId}/messages?limit=1`, { as: 'alice' })).body.messages[0]
    await must(bob, 'mark_as_read', { chatId, upToSeq: seq })
    await mine.getByRole('button', { name: 'Read by 1 person' }).click()
    const readers = page.getByRole('dialog', { name: 'Read by' })
    t.same(await readers.locator('bdi').allInnerTexts(), ['BOB'])
    await page.keyboard.press('Escape')
    await readers.waitFor({ state: 'detached' })
    await mine.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: 'Read by 1 person' }).click()
    t.same(await readers.locator('bdi').allInnerTexts(), ['BOB'])
    await page.keyboard.press('Escape')
    await readers.waitFor({ state: 'detached' })
  })

  await t.test('takes reactions', async (t) => {
    const message = await send('Pizza?')
    await must(bob, 'add_reaction', { messageId: message.id, emoji: '👍' })
    const chip = row(page, 'Pizza?').locator('.reaction')
    await chip.click()
    await row(page, 'Pizza?').getByRole('button', { name: '👍 2 BOB, You', pressed: true }).waitFor()
    await chip.click()
    await row(page, 'Pizza?').getByRole('button', { name: '👍 1 BOB', exact: true, pressed: false }).waitFor()

    await row(page, 'Pizza?').hover()
    await row(page, 'Pizza?').getByRole('button', { name: 'Add a reaction' }).click()
    const picker = page.getByRole('dialog', { name: 'Add a reaction' })
    t.same(await violationsOf(page), [])
    await picker.getByRole('textbox', { name: 'Another emoji' }).fill('🦔')
    await picker.getByRole('textbox', { name: 'Another emoji' }).press('Enter')
    await row(page, 'Pizza?').getByRole('button', { name: '🦔 1 You' }).waitFor()
    await until('the server has it', async () => {
      const { body } = await service.call('GET', `/messages/${message.id}`, { as: 'bob' })
      return body.message.reactions.length === 2
    })
  })

  await t.test('is answered; the quote leads to it', async () => {
    const first = await send('The question')
    for (let i = 0; i < 30; i++) await send(`Number ${i}, between`)
    await row(page, 'Number 29, between').waitFor()
    await row(page, 'The question').hover()
    await row(page, 'The question').getByRole('button', { name: 'Reply' }).click()
    await page.locator('.composer').getByText('Reply to BOB').waitFor()
    await holds(page, `document.activeElement.matches('.composer textarea')`)
    await say(page, 'The answer')
    const quote = row(page, 'The answer').getByRole('button', { name: 'In reply to BOB The question' })
    await quote.click()
    await holds(
      page,
      `(({ top, bottom }) => top > 0 && bottom < innerHeight)(document.querySelector('[data-seq="${first.seq}"]').getBoundingClientRect())`,
    )
    await until('the server knows', async () => {
      const { messages } = (await service.call('GET', `/chats/${chatId}/messages?limit=1`, { as: 'bob' })).body
      return messages[0].replyToSeq === first.seq
    })
    await page.getByRole('button', { name: /To the latest message/ }).click()
    await row(page, 'The answer').waitFor()
  })

  await t.test('is edited, pinned and deleted, by keys and by its menu', async (t) => {
    await say(page, 'A tpyo')
    await row(page, 'A tpyo').getByText('sent', { exact: true }).waitFor({ state: 'attached' })
    await field(page).fill('')
    await field(page).press('ArrowUp')
    t.equal(await field(page).inputValue(), 'A tpyo')
    await say(page, 'A typo')
    await row(page, 'A typo').getByText('edited').waitFor()
    t.equal(await field(page).inputValue(), '')

    await row(page, 'A typo').focus()
    await page.keyboard.press('p')
    await page.getByRole('region', { name: 'Pinned messages' }).getByText('A typo').waitFor()
    await row(page, 'A typo').focus()
    await page.keyboard.press('Enter')
    const menu = page.getByRole('menu', { name: 'Actions for this message' })
    t.same(await menu.getByRole('menuitem').allInnerTexts(), ['Reply', 'React', 'Edit', 'Copy text', 'Unpin', 'Delete'])
    t.same(await violationsOf(page), [])
    await menu.getByRole('menuitem', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete this message?' })
    t.match((await contents(service, chatId)).at(-1) ?? 'deleted', 'A typo', 'it asks first')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await until('it is gone', async () => !(await contents(service, chatId)).includes('A typo'))
  })

  await t.test('of another is reported', async () => {
    await row(page, 'Number 29, between').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Report…' }).click()
    await page.getByRole('dialog').getByText('Number 29, between').waitFor()
    await page.keyboard.press('Escape')
  })

  t.same(faults, [])
})

t.test('what cannot be sent at once', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t)

  await t.test('waits while there is no connection, over a reload, too', async (t) => {
    const { page, context } = await open(t, browser, service, { as: 'alice' })
    await field(page).waitFor()
    await context.setOffline(true)
    await say(page, 'From the tunnel')
    await row(page, 'From the tunnel').getByText('not sent yet').waitFor({ state: 'attached' })
    t.same(await contents(service, chatId), [])
    await context.setOffline(false)
    await page.reload()
    await row(page, 'From the tunnel').getByText('sent', { exact: true }).waitFor({ state: 'attached' })
    t.same(await contents(service, chatId), ['From the tunnel'], 'once')
  })

  await t.test('what was refused says so, and can be tried again or discarded', async (t) => {
    const { socket: dave } = await connect(t, service, 'dave')
    const { chat } = await must(dave, 'create_chat', { type: 'direct', memberIds: ['alice'] })
    await must(dave, 'block_user', { userId: 'alice' })
    const { page, faults } = await open(t, browser, service, { as: 'alice' })
    await page.locator('.chat-row, .chats li', { hasText: 'No messages yet' }).first().click()
    await say(page, 'Are you there?')
    const failed = row(page, 'Are you there?')
    await failed.getByText('You may not do this.').waitFor()
    await must(dave, 'unblock_user', { userId: 'alice' })
    await failed.getByRole('button', { name: 'Try again' }).click()
    await failed.getByText('sent', { exact: true }).waitFor({ state: 'attached' })
    t.same(await contents(service, chat.chatId), ['Are you there?'])

    await must(dave, 'block_user', { userId: 'alice' })
    await say(page, 'Never mind')
    await row(page, 'Never mind').getByRole('button', { name: 'Discard' }).click()
    await row(page, 'Never mind').waitFor({ state: 'detached' })
    t.same(faults, [])
  })
})
