import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, type Service, until } from '../helper.js'
import { launch, needsChromium, violationsOf, visit } from './browser.js'

t.setTimeout(300_000)

interface Site {
  url: string
  /** What stands in it. */
  html: string
  /** Where scripts may come from. */
  scripts: string
}

/** A site of another origin, with a policy that allows nothing but the service's script and the way to it, and a style that would spoil the widget. */
async function createSite(t: Test): Promise<Site> {
  const site = { url: '', html: '', scripts: '' }
  const server = createServer((request, response) => {
    if (request.url === '/site.css') {
      response.writeHead(200, { 'content-type': 'text/css' })
      response.end('p, button { color: rgb(150, 0, 0); text-transform: uppercase }')
      return
    }
    const ways = `${site.scripts} ${site.scripts.replace('http', 'ws')}`
    response.writeHead(200, {
      'content-type': 'text/html',
      'content-security-policy': `default-src 'none'; style-src 'self'; script-src ${site.scripts}; connect-src ${ways}; img-src data: blob:`,
    })
    response.end(`<!doctype html><html lang="en"><title>Shop</title><link rel="stylesheet" href="/site.css"><link rel="icon" href="data:,">
      <main><h1>Shop</h1><p id="own">A word of the shop’s</p>${site.html}</main></html>`)
  })
  t.teardown(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  site.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return site
}

async function setUp(t: Test): Promise<{ service: Service; site: Site; chatId: string }> {
  const site = await createSite(t)
  const service = await build(t, { web: true, corsOrigins: site.url })
  site.scripts = service.url
  const { chatId } = await service.app.chat.log.createChat({
    type: 'group',
    title: 'Crew',
    owner: 'alice',
    founders: ['alice', 'bob'],
  })
  await service.app.chat.log.append({ chatId, senderId: 'bob', content: 'Hello from the service' })
  return { service, site, chatId }
}

const markup = (service: Service, chatId: string, more: string): string =>
  `<chat-room chat-id="${chatId}" ${more}></chat-room><script src="${service.url}/chat-room.js"></script>`

/** A computed style of what stands on the site, or in the widget. */
const styleOf = (page: Page, selector: string, property: string) =>
  page.evaluate<string>(`(() => {
    const { shadowRoot } = document.querySelector('chat-room')
    const element = document.querySelector('${selector}') ?? shadowRoot.querySelector('${selector}')
    return getComputedStyle(element)['${property}']
  })()`)

t.test('<chat-room> on a site of another origin with a strict policy', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, site, chatId } = await setUp(t)

  await t.test('reads and writes, with the look of the page', async (t) => {
    site.html = markup(service, chatId, `token="${service.token('alice')}" lang="en"`)
    const { page, faults } = await visit(t, browser, site.url)
    await page.locator('.room').getByText('Hello from the service').waitFor()
    await page.getByLabel('Message Crew').fill('Hello from the shop')
    await page.keyboard.press('Enter')
    const contents = async () => {
      const { body } = await service.call('GET', `/chats/${chatId}/messages`, { as: 'bob' })
      return body.messages.map(({ content }: { content: string }) => content)
    }
    await until('it is stored', async () => (await contents()).includes('Hello from the shop'))

    t.equal(await styleOf(page, '#own', 'color'), 'rgb(150, 0, 0)')
    t.not(await styleOf(page, '.bubble p', 'color'), 'rgb(150, 0, 0)', 'no style of the site’s gets in')
    t.equal(await styleOf(page, '.room-header button', 'textTransform'), 'none')
    t.equal(await styleOf(page, '#own', 'textTransform'), 'uppercase', 'and none of its own out')
    t.equal(await styleOf(page, '.room-header', 'display'), 'flex', 'its own is there')

    await page.locator('.message').filter({ hasText: 'Hello from the service' }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Report' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Report' }).click()
    await page.getByText('The message was reported.').waitFor()

    const info = page.getByRole('button', { name: 'About this chat' })
    await info.click()
    await page.getByText('2 members').last().waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.sheet').waitFor({ state: 'detached' })
    t.equal(
      await page.evaluate(`document.querySelector('chat-room').shadowRoot.activeElement?.ariaLabel`),
      'About this chat',
    )
    t.same(await violationsOf(page), [])
    t.same(faults, [])
  })

  await t.test('says that it needs a token, and takes one', async (t) => {
    site.html = markup(service, chatId, 'lang="ru" theme="dark"')
    const { page, faults } = await visit(t, browser, site.url)
    await page.getByText('Вы не вошли в чат').waitFor()
    await page.evaluate(`new Promise((resolve) => {
      const element = document.querySelector('chat-room')
      element.addEventListener('needs-token', resolve, { once: true })
      element.setAttribute('token', 'nonsense')
    })`)
    await page.getByText('Токен не подходит.').waitFor()
    await page.evaluate(
      `document.querySelector('chat-room').setAttribute('token', ${JSON.stringify(service.token('bob'))})`,
    )
    await page.locator('.room').getByText('Hello from the service').waitFor()
    t.equal(await styleOf(page, 'chat-room', 'colorScheme'), 'dark')
    t.same(faults, [])
  })

  await t.test('says so where there is no such chat, and goes when it is taken away', async (t) => {
    site.html = markup(service, 'nowhere', `token="${service.token('alice')}" lang="en"`)
    const { page, faults } = await visit(t, browser, site.url)
    await page.getByText('This chat is not there').waitFor()
    t.ok(service.app.io.sockets.sockets.size > 0)
    await page.evaluate(`document.querySelector('chat-room').setAttribute('chat-id', ${JSON.stringify(chatId)})`)
    await page.locator('.room').getByText('Hello from the service').waitFor()
    await page.evaluate(`document.querySelector('chat-room').remove()`)
    await until('its connection has ended', () => service.app.io.sockets.sockets.size === 0)
    t.same(faults, [])
  })
})
