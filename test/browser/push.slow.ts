import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import webPush from 'web-push'
import { build, until } from '../helper.js'
import { createBrowser } from '../plugins/push/receiver.js'
import { pushService, type Received } from '../plugins/push/services.js'
import { launch, needsChromium, open, violationsOf, visit } from './browser.js'

t.setTimeout(600_000)

const { publicKey, privateKey } = webPush.generateVAPIDKeys()
const VAPID = { vapidPublicKey: publicKey, vapidPrivateKey: privateKey, vapidSubject: 'mailto:chat@example.com' }
const LABEL = 'While this page is closed'

/** In the place of the browser's own push service, which is on the internet: a subscription at ours, kept over reloads as a browser keeps it. */
const subscriptionAt = (endpoint: string, keys: object) => `
  Object.assign(PushManager.prototype, {
    async getSubscription() {
      const key = localStorage.getItem('test subscribed')
      return key === null ? null : {
        options: { applicationServerKey: Uint8Array.from(JSON.parse(key)).buffer },
        toJSON: () => (${JSON.stringify({ endpoint, expirationTime: null, keys })}),
        unsubscribe: async () => (localStorage.removeItem('test subscribed'), true),
      }
    },
    async subscribe({ userVisibleOnly, applicationServerKey }) {
      if (!userVisibleOnly) throw new DOMException('silent push', 'NotAllowedError')
      localStorage.setItem('test subscribed', JSON.stringify([...applicationServerKey]))
      return this.getSubscription()
    },
  })`

async function setUp(t: Test, options: object = {}) {
  const service = await build(t, { web: true, notifyAfterMs: 100, pushContent: 'on', ...VAPID, ...options })
  const { log } = service.app.chat
  const founders = ['alice', 'bob']
  const crew = await log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  const other = await log.createChat({ type: 'group', title: 'Other', owner: 'alice', founders })
  await log.append({ chatId: other.chatId, senderId: 'bob', content: 'Open from the start' })
  await service.call('PUT', `/chats/${other.chatId}/settings`, { as: 'alice', body: { isPinned: true } })
  const devicesOf = (userId: string) => service.app.chat.devices.find(userId)
  return { service, chatId: crew.chatId, devicesOf }
}

const openSettings = (page: Page, name = 'ALICE') =>
  page.getByRole('button', { name: `${name}: status and settings` }).click()

/** Brings a push to the page's real worker, as the browser's push service does. */
async function createDelivery(page: Page, context: BrowserContext) {
  const session = await context.newCDPSession(page)
  let registrationId = ''
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find(({ isDeleted }) => !isDeleted)?.registrationId ?? registrationId
  })
  await session.send('ServiceWorker.enable')
  await until('the worker is known', () => registrationId !== '')
  const { origin } = new URL(page.url())
  return (data: string) => session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
}

const shown = (page: Page) =>
  page.evaluate<{ title: string; body: string; tag: string }[]>(`navigator.serviceWorker.ready
    .then((registration) => registration.getNotifications())
    .then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))`)

t.test('this browser is told while the page is closed', needsChromium, async (t) => {
  const browser = await launch(t)
  const receiver = createBrowser()
  const push = await pushService(t, () => ({ status: 201 }))
  const { service, chatId, devicesOf } = await setUp(t)
  const signIn = `sessionStorage.setItem('token', ${JSON.stringify(service.token('alice'))});`
  // While she is away the tab is empty, and has neither storage nor push.
  const script = `if (location.protocol !== 'about:') { ${signIn} ${subscriptionAt(`${push.url}/alice`, receiver.keys)} }`
  const { page, faults, context } = await visit(t, browser, service.url, { script })
  await context.grantPermissions(['notifications'])
  await openSettings(page)
  const toggle = page.getByRole('switch', { name: LABEL })

  await t.test('turned on, it is a device, and the same one after a reload', async (t) => {
    t.same(await devicesOf('alice'), [], 'the page never asks by itself')
    await page.getByText('Off: you are told of nothing until you come back.').waitFor()
    await toggle.click()
    await page.getByText('On: this browser tells you of messages that you have not read.').waitFor()
    const [device] = await devicesOf('alice')
    t.match(device, { kind: 'web', token: `${push.url}/alice`, keys: receiver.keys })
    t.equal(await page.evaluate(`JSON.parse(localStorage.getItem('test subscribed')).length`), 65, 'for our key')
    t.same(await violationsOf(page), [])
    await service.app.db.run('test_forget_keys', `UPDATE devices SET keys = '{"p256dh": "old", "auth": "old"}'`, [])
    await page.reload()
    await until('it is registered anew', async () => (await devicesOf('alice'))[0]?.keys?.auth === receiver.keys.auth)
    t.equal((await devicesOf('alice'))[0]?.deviceId, device?.deviceId)
  })

  await t.test('what it is pushed it shows, one a chat, and a click opens the chat', async (t) => {
    const deliver = await createDelivery(page, context)
    await page.goto('about:blank')
    await until('she is away', async () => !(await service.app.chat.presence.isOnline('alice')))
    await service.app.chat.log.append({ chatId, senderId: 'bob', content: 'Are you <b>there</b>?' })
    await until('it is pushed', () => push.received.length === 1)
    const said = receiver.read(push.received[0] as Received)
    await page.goto(service.url)
    await page.locator('.room').getByText('Open from the start').waitFor()

    await deliver(JSON.stringify(said))
    await until('it is shown', async () => (await shown(page)).length === 1)
    t.same(await shown(page), [{ title: 'BOB', body: 'Are you <b>there</b>?', tag: said.tag }])
    await deliver(JSON.stringify({ ...said, body: 'Again' }))
    await until('the later one is in its place', async () => (await shown(page))[0]?.body === 'Again')
    t.equal((await shown(page)).length, 1)

    const [worker] = context.serviceWorkers()
    if (!worker) throw new Error('there is no worker')
    // No finger clicks here: the worker is given the event, with the notification that is really shown. It may not open windows or move the focus then.
    const click = () =>
      worker.evaluate(`self.registration.getNotifications().then(([notification]) => {
        self.opened = []
        self.clients.openWindow = async (url) => void self.opened.push(String(url))
        self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
      })`)
    await click()
    await page.locator('.room').getByText('Are you <b>there</b>?').waitFor()
    t.same(await shown(page), [], 'and it is gone')

    await deliver(JSON.stringify(said))
    await until('it is shown', async () => (await shown(page)).length === 1)
    await page.goto('about:blank')
    await click()
    await until('a page is opened', async () => (await worker.evaluate('self.opened.length')) === 1)
    const [url] = await worker.evaluate<string[]>('self.opened')
    t.equal(url, `${service.url}/?chat=${chatId}`)
    await page.goto(String(url))
    await page.locator('.room').getByText('Are you <b>there</b>?').waitFor()
    t.equal(page.url(), `${service.url}/`, 'a reload opens it no more')

    await deliver('no JSON')
    await until('something is shown of anything', async () => (await shown(page))[0]?.title === 'New messages')
  })

  await t.test('turned off, neither end knows of it', async (t) => {
    await openSettings(page)
    await toggle.click()
    await page.getByText('Off: you are told of nothing until you come back.').waitFor()
    t.same(await devicesOf('alice'), [])
    t.equal(await page.evaluate(`localStorage.getItem('test subscribed')`), null)
  })

  await t.test('signing out ends it', async (t) => {
    await toggle.click()
    await until('it is a device', async () => (await devicesOf('alice')).length === 1)
    // Behind it is the page that asks for the demo's tokens, which are not there: a fault that this is not about.
    t.same(faults, [])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    t.same(await devicesOf('alice'), [])
    t.same(await page.evaluate(`[localStorage.getItem('test subscribed'), localStorage.getItem('push device')]`), [
      null,
      null,
    ])
  })
})

t.test('where it cannot be, the page says why, or has no such switch', needsChromium, async (t) => {
  const browser = await launch(t)
  const { service, devicesOf } = await setUp(t)
  const sees = async (script: string, text: string, then?: (page: Page) => Promise<unknown>) => {
    const { page, context } = await open(t, browser, service, { as: 'alice', script, locale: 'ru' })
    await context.grantPermissions(['notifications'])
    await page.getByRole('button', { name: 'ALICE: статус и настройки' }).click()
    await then?.(page)
    await page.getByText(text).waitFor()
    t.same(await devicesOf('alice'), [], text)
    return page
  }
  const toggle = (page: Page) => page.getByRole('switch', { name: 'Пока страница закрыта' })

  const refused = await sees(
    `Object.defineProperty(Notification, 'permission', { value: 'denied' })`,
    'Выключено: браузер запрещает уведомления этой странице.',
  )
  t.ok(await toggle(refused).isDisabled())
  t.notOk(await toggle(refused).isChecked())
  const failed = await sees(
    `PushManager.prototype.subscribe = async () => { throw new DOMException('no push service', 'AbortError') }`,
    'Выключено: браузер не смог связаться со своей push-службой. Попробуйте позже.',
    (page) => toggle(page).click(),
  )
  t.notOk(await toggle(failed).isChecked())
  const without = await sees('delete globalThis.PushManager', 'Вы никого не заблокировали.')
  t.equal(await toggle(without).count(), 0, 'a browser without it')

  const off = await setUp(t, { notifyAfterMs: 0 })
  const { page, faults } = await open(t, browser, off.service, { as: 'alice' })
  await openSettings(page)
  await page.getByText('You have blocked nobody.').waitFor()
  t.equal(await page.getByRole('switch', { name: LABEL }).count(), 0, 'a service without it')
  t.same(faults, [])
})
