import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, type ClientSocket, connect, must, type Service, until } from '../../helper.js'
import { bundle, launch, needsChromium, open, type Renderer, root } from './browser.js'

t.setTimeout(600_000)

const source = readFileSync(join(root, 'test/client/react/hooks.page.tsx'), 'utf8')

interface Setting {
  page: Page
  faults: string[]
  service: Service
  bob: ClientSocket
  /** Two chats of Alice and Bob, by their titles. */
  chats: { one: string; two: string }
  mount(parts: string[], more?: { isStrict?: boolean; isOwner?: boolean }): Promise<void>
  /** What the page has counted of this name. */
  counted(name: string): Promise<number>
  renders(name: string): Promise<number>
}

/** What all tests of a renderer share; each has a user of its own. */
interface Shared {
  browser: Browser
  script: string
  service: Service
  bob: ClientSocket
}

async function start(t: Test, { browser, script, service, bob }: Shared, as: string): Promise<Setting> {
  const makeChat = async (title: string): Promise<string> => {
    const body = { type: 'group', title, memberIds: ['bob'] }
    return (await service.call('POST', '/chats', { as, body })).body.chat.chatId
  }
  const chats = { one: await makeChat('One'), two: await makeChat('Two') }
  const { page, faults } = await open(t, browser, service, script)
  return {
    page,
    faults,
    service,
    bob,
    chats,
    async mount(parts, more = {}) {
      const shown = { parts, chatId: chats.one, title: 'One', ...more }
      await page.evaluate(`window.page.mount(${JSON.stringify(service.token(as))}, ${JSON.stringify(shown)})`)
    },
    counted: (name) => page.evaluate<number>(`window.page.counted.${name}`),
    renders: (name) => page.evaluate<number>(`window.page.renders[${JSON.stringify(name)}] ?? 0`),
  }
}

const send = (socket: ClientSocket, chatId: string, content: string) =>
  must(socket, 'send_message', { chatId, content, clientMessageId: content })

async function hooks(t: Test, browser: Browser, renderer: Renderer): Promise<void> {
  const service = await build(t)
  const { socket: bob } = await connect(t, service, 'bob')
  const shared = { browser, script: await bundle(source, renderer), service, bob }

  await t.test('an event of another chat renders no room, and a message not who only sends', async (t) => {
    const { page, faults, bob, chats, mount, renders } = await start(t, shared, 'alice')
    await send(bob, chats.one, 'stored before')
    await mount(['messages', 'composer', 'typing', 'titles', 'chosen'])
    await page.getByText('stored before', { exact: true }).first().waitFor()
    await page.getByText('Two: ').waitFor()
    // Whatever comes with the first page has come.
    await send(bob, chats.one, 'the first')
    await page.getByRole('list', { name: chats.one }).getByText('the first').waitFor()
    await page.getByText('One: the first').waitFor()

    const [room, composer, chosen] = [
      await renders(`messages of ${chats.one}`),
      await renders('composer'),
      await renders('chosen'),
    ]
    await send(bob, chats.two, 'elsewhere')
    await page.getByText('Two: elsewhere').waitFor()
    t.equal(await renders(`messages of ${chats.one}`), room, 'a message elsewhere')
    t.equal(await renders('chosen'), chosen, 'a list without the chat')

    await must(bob, 'typing', { chatId: chats.one, isTyping: true })
    await page.getByText('BOB types').waitFor()
    t.equal(await renders(`messages of ${chats.one}`), room, 'somebody types, and the list shows no typing')

    await send(bob, chats.one, 'here')
    await page.getByRole('list', { name: chats.one }).getByText('here').waitFor()
    await page.getByText('One: here').waitFor()
    t.equal(await renders(`messages of ${chats.one}`), room + 1, 'one message, one render')
    t.ok((await renders('chosen')) > chosen)

    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('list', { name: chats.one }).getByText('from a button', { exact: true }).waitFor()
    t.equal(await renders('composer'), composer, 'who only sends')
    t.equal(await page.evaluate('window.page.sends()'), 1, 'the function is the same in each render')
    t.same(faults, [])
  })

  await t.test('StrictMode leaves one connection, and none after the end', async (t) => {
    const { page, faults, service, bob, chats, mount } = await start(t, shared, 'carol')
    const connected = async () => (await service.call('GET', '/health')).body.connections
    await until('only Bob is connected', async () => (await connected()) === 1)
    await mount(['messages', 'composer', 'status'], { isStrict: true, isOwner: true })
    await page.getByText('online, 0 unread, 0 waiting').waitFor()
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('list').getByText('from a button', { exact: true }).waitFor()
    await send(bob, chats.one, 'to who is strict')
    await page.getByText('to who is strict').waitFor()
    await until('one connection of hers and one of Bob', async () => (await connected()) === 2)
    t.equal(await page.getByRole('listitem').count(), 2)
    await page.evaluate('window.page.unmount()')
    await until('she is gone', async () => (await connected()) === 1)
    t.same(faults, [])
  })

  await t.test('unmounting leaves no subscription, and coming back asks for nothing again', async (t) => {
    const { page, faults, bob, chats, mount, counted } = await start(t, shared, 'dave')
    const all = ['messages', 'composer', 'typing', 'titles', 'chosen', 'status', 'presence']
    await mount(all, { isStrict: true })
    await page.getByText('bob is online').waitFor()
    await page.getByText('online, 0 unread').waitFor()
    const subscriptions = await counted('subscriptions')
    t.ok(subscriptions > 0)
    const watches = await counted('watches')
    await page.getByRole('button', { name: 'bob is online, 0' }).click()
    await page.getByRole('button', { name: 'bob is online, 1' }).click()
    await page.getByRole('button', { name: 'bob is online, 2' }).waitFor()
    t.equal(await counted('watches'), watches, 'the same people are watched once')

    for (let round = 0; round < 3; round += 1) {
      await page.evaluate('window.page.unmount()')
      // Preact ends effects in a later turn.
      await until('nothing is subscribed', async () => (await counted('subscriptions')) === 0)
      await send(bob, chats.one, `while away, ${round}`)
      await mount(all, { isStrict: true })
      await page.getByRole('list', { name: chats.one }).getByText(`while away, ${round}`).waitFor()
      await page.getByText('bob is online').waitFor()
      await until('all is subscribed again', async () => (await counted('subscriptions')) === subscriptions)
    }
    t.equal(await counted('latest'), 1, 'the latest messages were asked for once')
    t.same(faults, [])
  })
}

t.test('the hooks', needsChromium, async (t) => {
  const browser = await launch(t)
  await t.test('with React', (t) => hooks(t, browser, 'react'))
  await t.test('with Preact', (t) => hooks(t, browser, 'preact'))
})
