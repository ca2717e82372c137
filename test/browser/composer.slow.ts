import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, connect, must, type Service, until } from '../helper.js'
import { launch, needsChromium, open, violationsOf } from './browser.js'
import { holds } from './history-page.js'

t.setTimeout(300_000)

const field = (page: Page) => page.getByRole('textbox', { name: /^Message/ })
const sendButton = (page: Page) => page.getByRole('button', { name: 'Send' })

async function lastOf({ call }: Service, chatId: string) {
  return (await call('GET', `/chats/${chatId}/messages?limit=1`, { as: 'alice' })).body.messages[0]
}

/** A group that Alice owns, with Bob, Carol and Dave. */
async function setUp(t: Test) {
  const service = await build(t, { web: true })
  const founders = ['alice', 'bob', 'carol', 'dave']
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  return { service, chatId }
}

/** Has a browser believe that a file is pasted into the field, or dropped on it: a picture of 200 by 100 pixels, or a text. */
const give = (page: Page, how: 'paste' | 'drop', what: 'picture' | 'text'): Promise<void> =>
  page.evaluate(`(async () => {
    const field = document.querySelector('.composer textarea')
    const canvas = Object.assign(document.createElement('canvas'), { width: 200, height: 100 })
    canvas.getContext('2d').fillRect(0, 0, 80, 80)
    const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
    const file = '${what}' === 'picture'
      ? new File([picture], 'photo.png', { type: 'image/png' })
      : new File(['some notes'], 'notes.txt', { type: 'text/plain' })
    const data = new DataTransfer()
    data.items.add(file)
    const options = { bubbles: true, cancelable: true }
    if ('${how}' === 'paste') field.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: data }))
    else for (const type of ['dragenter', 'dragover', 'drop']) field.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: data }))
  })()`)

t.test('the composer', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t)
  const { page, faults } = await open(t, browser, service, { as: 'alice' })

  await t.test('Enter sends, with Shift it begins a line, and the field grows', async (t) => {
    const low = (await field(page).boundingBox())?.height ?? 0
    await field(page).fill('One')
    for (let i = 0; i < 3; i++) await field(page).press('Shift+Enter')
    await field(page).pressSequentially('Four')
    const high = (await field(page).boundingBox())?.height ?? 0
    t.ok(high > low + 30, `${low} to ${high}`)
    await field(page).press('Enter')
    await page.locator('.message', { hasText: 'Four' }).waitFor()
    t.equal(await field(page).inputValue(), '')
    await until('it is there', async () => (await lastOf(service, chatId))?.content === 'One\n\n\nFour')
    await field(page).fill('   ')
    t.ok(await sendButton(page).isDisabled(), 'nothing is no message')
    await field(page).fill('')
  })

  await t.test('a draft is kept over a reload, and beside what is edited', async (t) => {
    await field(page).fill('Half a thought')
    await page.reload()
    await holds(page, `document.querySelector('.composer textarea')?.value === 'Half a thought'`)
    const mine = page.locator('.message', { hasText: 'Four' })
    await mine.focus()
    await page.keyboard.press('e')
    await holds(page, `document.querySelector('.composer textarea').value.startsWith('One')`)
    await field(page).press('Escape')
    t.equal(await field(page).inputValue(), 'Half a thought')
    await field(page).press('Enter')
    await page.locator('.message', { hasText: 'Half a thought' }).waitFor()
    await page.reload()
    await field(page).waitFor()
    t.equal(await field(page).inputValue(), '', 'what was sent is no draft')
  })

  await t.test('an @ offers the people of the chat', async (t) => {
    await field(page).pressSequentially('Hi @')
    const list = page.getByRole('listbox', { name: 'People to mention' })
    await list.getByText('DAVE').waitFor()
    t.same(await list.locator('bdi').allInnerTexts(), ['BOB', 'CAROL', 'DAVE', 'everyone'])
    t.same(await violationsOf(page), [])
    await field(page).pressSequentially('c')
    t.same(await list.locator('bdi').allInnerTexts(), ['CAROL'])
    await field(page).press('Backspace')
    await field(page).press('ArrowDown')
    await field(page).press('Tab')
    t.equal(await field(page).inputValue(), 'Hi @CAROL ')
    await list.waitFor({ state: 'detached' })
    await field(page).pressSequentially('!')
    await field(page).press('Enter')
    await page.locator('.mention', { hasText: '@CAROL' }).waitFor()
    await until('she is named', async () => (await lastOf(service, chatId)).mentions.userIds[0] === 'carol')
    await field(page).fill('mail@')
    t.equal(await list.count(), 0, 'an address is no mention')
    await field(page).fill('')
  })

  await t.test('tells that a text is too long before the server does', async (t) => {
    await field(page).fill('a'.repeat(7_900))
    await page.getByText('100 characters left').waitFor()
    await field(page).fill('😀'.repeat(9_000))
    await page.getByText('1,000 characters too many').waitFor()
    t.ok(await sendButton(page).isDisabled())
    await field(page).press('Enter')
    t.equal(await page.locator('.message-failed').count(), 0)
    await field(page).fill('😀'.repeat(8_000))
    await field(page).press('Enter')
    await until('8,000 are taken', async () => [...((await lastOf(service, chatId)).content ?? '')].length === 8_000)
  })

  await t.test('a picture is pasted, uploaded and shown at its size', async (t) => {
    await give(page, 'paste', 'picture')
    const chosen = page.getByRole('list', { name: 'Files to send' })
    await chosen.getByText('photo.png').waitFor()
    await holds(page, `document.querySelector('.chosen-there')`)
    await field(page).fill('Look')
    await field(page).press('Enter')
    const shown = page.locator('.message', { hasText: 'Look' })
    await shown.locator('img').waitFor()
    const box = await shown.locator('.picture').boundingBox()
    t.ok(box && Math.abs(box.width / box.height - 2) < 0.02, `${box?.width} × ${box?.height}`)
    await until('it was stored', async () => (await lastOf(service, chatId)).attachments.length === 1)
    const { name, width, height } = (await lastOf(service, chatId)).attachments[0]
    t.same({ name, width, height }, { name: 'photo.png', width: 200, height: 100 })
    t.equal(await chosen.count(), 0)
  })

  await t.test('a file is dropped, taken out, dropped again, and downloaded from the message', async (t) => {
    await give(page, 'drop', 'text')
    await page.getByRole('button', { name: 'Remove notes.txt' }).click()
    t.equal(await page.locator('.chosen-file').count(), 0)
    await give(page, 'drop', 'text')
    await holds(page, `document.querySelector('.chosen-there')`)
    await sendButton(page).click()
    const file = page.getByRole('button', { name: 'Download notes.txt 10 byte' })
    await file.waitFor()
    await until('it was stored', async () => (await lastOf(service, chatId)).attachments[0]?.name === 'notes.txt')
    const [download] = await Promise.all([page.waitForEvent('download'), file.click()])
    t.equal(download.suggestedFilename(), 'notes.txt')
  })

  await t.test('more than ten files are refused at once', async (t) => {
    const files = Array.from({ length: 11 }, (_, i) => ({
      name: `${i}.txt`,
      mimeType: 'text/plain',
      buffer: Buffer.from('a'),
    }))
    await page.locator('.composer input[type=file]').setInputFiles(files)
    await page.getByText('A message carries at most 10 files.').waitFor()
    t.equal(await page.locator('.chosen-file').count(), 10)
    await holds(page, `document.querySelectorAll('.chosen-there').length === 10`)
    t.same(await violationsOf(page), [])
  })

  t.same(faults, [])
})

t.test('where one may not write', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t)
  const { socket: alice } = await connect(t, service, 'alice')
  const { page, faults } = await open(t, browser, service, { as: 'bob' })
  await field(page).waitFor()

  await t.test('a frozen chat', async () => {
    await must(alice, 'update_chat', { chatId, isFrozen: true })
    await page.getByText('This chat is frozen').waitFor()
    await field(page).waitFor({ state: 'detached' })
    await must(alice, 'update_chat', { chatId, isFrozen: false })
    await field(page).waitFor()
  })

  await t.test('somebody who is muted', async () => {
    await must(alice, 'mute_member', { chatId, userId: 'bob' })
    await page.getByText('You were muted in this chat.').waitFor()
    await must(alice, 'mute_member', { chatId, userId: 'bob', until: null })
    await field(page).waitFor()
  })

  await t.test('slow mode counts down', async (t) => {
    await must(alice, 'update_chat', { chatId, slowModeSeconds: 3 })
    await field(page).fill('First')
    await field(page).press('Enter')
    await page.getByText(/Slow mode: wait \d s/).waitFor()
    await field(page).fill('Second')
    t.ok(await sendButton(page).isDisabled())
    await page.getByText(/Slow mode/).waitFor({ state: 'detached' })
    await field(page).press('Enter')
    await until('the second came', async () => (await lastOf(service, chatId)).content === 'Second')
    t.equal(await page.locator('.message-failed').count(), 0)
    await must(alice, 'update_chat', { chatId, slowModeSeconds: 0 })
  })

  await t.test('somebody whom one has blocked', async () => {
    const { socket } = await connect(t, service, 'bob')
    await must(socket, 'create_chat', { type: 'direct', memberIds: ['dave'] })
    await must(socket, 'block_user', { userId: 'dave' })
    await page.reload()
    await page.locator('.sidebar, .person-list').getByText('No messages yet').first().click()
    await page.getByRole('button', { name: 'Unblock' }).click()
    await field(page).waitFor()
  })
  t.same(faults, [])
})

t.test('both themes, and by finger', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, chatId } = await setUp(t)
  const { socket: bob } = await connect(t, service, 'bob')
  const { message } = await must(bob, 'send_message', {
    chatId,
    content: 'Look: https://example.com @ALICE',
    mentions: { userIds: ['alice'] },
  })
  await must(bob, 'add_reaction', { messageId: message.id, emoji: '👍' })
  await must(bob, 'send_message', { chatId, content: 'And?', replyToId: message.id })
  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`axe finds nothing, ${colorScheme}`, async (t) => {
      const { page } = await open(t, browser, service, { as: 'alice', colorScheme })
      await page.getByRole('button', { name: /^In reply to BOB Look/ }).waitFor()
      await page.locator('.message').last().focus()
      await page.keyboard.press('r')
      await give(page, 'paste', 'picture')
      await holds(page, `document.querySelector('.chosen-there')`)
      await field(page).fill('a'.repeat(8_100))
      await page.locator('.message').last().hover()
      t.same(await violationsOf(page), [])
    })
  }

  await t.test('Enter begins a line, and what one touches is large enough', async (t) => {
    const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
    const { page } = await open(t, browser, service, { as: 'alice', ...phone })
    await page.getByText('Crew').first().tap()
    await field(page).fill('One')
    await field(page).press('Enter')
    t.equal(await field(page).inputValue(), 'One\n')
    await sendButton(page).tap()
    await page.locator('.message-mine').waitFor()
    await page.locator('.message', { hasText: 'And?' }).locator('.bubble p').tap()
    await page.locator('.message', { hasText: 'And?' }).locator('.message-tools').waitFor()
    const small = await page.evaluate(
      `[...document.querySelectorAll('.room .icon-button, .reaction')]
        .filter(({ clientHeight, clientWidth }) => Math.min(clientHeight, clientWidth) < 42)
        .map((element) => element.getAttribute('aria-label'))`,
    )
    t.same(small, [])
  })
})
