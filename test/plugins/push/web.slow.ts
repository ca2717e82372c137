import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import webPush from 'web-push'
import { build, tempDir, until } from '../../helper.js'
import { copyTemplate } from '../../helpers/embedded.js'
import { createBrowser } from './receiver.js'
import { pushService, type Received } from './services.js'

const vapid = webPush.generateVAPIDKeys()
const VAPID = {
  vapidPublicKey: vapid.publicKey,
  vapidPrivateKey: vapid.privateKey,
  vapidSubject: 'mailto:chat@example.com',
}

async function open(t: Test, options: object = {}) {
  const dataDir = tempDir(t)
  await copyTemplate(dataDir)
  const service = await build(t, { dataDir, notifyAfterMs: 100, ...VAPID, ...options })
  const { call } = service
  await call('POST', '/chats', { as: 'service', body: { type: 'group', chatId: 'room', memberIds: ['alice', 'bob'] } })
  const send = (content: string) => call('POST', '/chats/room/messages', { as: 'alice', body: { content } })
  const register = (endpoint: string, keys: object, as = 'bob') =>
    call('POST', '/users/me/devices', {
      as,
      body: { kind: 'web', subscription: { endpoint, expirationTime: null, keys } },
    })
  const devices = async (userId: string) => (await service.app.chat.devices.find(userId)).length
  return { service, send, register, devices }
}

t.test('Web Push: what is registered is told, encrypted and signed, until it is gone', async (t) => {
  const browser = createBrowser()
  let status = 201
  const push = await pushService(t, () => ({ status }))
  const { service, send, register, devices } = await open(t, { pushContent: 'on' })
  const { call } = service
  const endpoint = `${push.url}/push/one`
  const { body, status: made } = await register(endpoint, browser.keys)
  t.equal(made, 200)
  t.same((await register(endpoint, browser.keys)).body, body, 'again, it keeps its id')

  const sent = await send('hello bob')
  await until('it is pushed', () => push.received.length === 1)
  const [first] = push.received as [Received]
  const { noticeId, tag, ...said } = browser.read(first)
  t.type(noticeId, 'string')
  t.same(said, {
    title: 'ALICE',
    body: 'hello bob',
    badge: 1,
    type: 'member.unread',
    chatId: 'room',
    throughSeq: sent.body.message.seq,
    unreadCount: 1,
    total: 1,
  })
  t.match(first, {
    path: '/push/one',
    headers: { 'content-encoding': 'aes128gcm', ttl: '86400', urgency: 'high', topic: tag },
  })
  t.match(tag, /^[\w-]{32}$/)
  t.notMatch(first.body.toString('latin1'), 'hello', 'nobody on the way reads it')
  const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(first.headers.authorization ?? '') ?? []
  t.equal(key, VAPID.vapidPublicKey)
  const raw = Buffer.from(key, 'base64url')
  const [x, y] = [raw.subarray(1, 33), raw.subarray(33)].map((part) => part.toString('base64url'))
  const jwk = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' })
  const { payload } = await jwtVerify(token, jwk, { audience: push.url })
  t.equal(payload.sub, VAPID.vapidSubject)

  await send('more')
  await until('it is pushed again', () => push.received.length === 2)
  t.match(
    browser.read(push.received[1] as Received),
    { tag, badge: 2, unreadCount: 2 },
    'in the place of the one before',
  )

  status = 410
  await send('to nobody')
  await until('the device is forgotten', async () => (await devices('bob')) === 0)

  status = 201
  await register(endpoint, browser.keys)
  await register(endpoint, browser.keys, 'alice')
  t.same([await devices('bob'), await devices('alice')], [0, 1], 'of the last who registered it')
  const { deviceId } = (await register(endpoint, browser.keys)).body
  await call('DELETE', `/users/me/devices/${deviceId}`, { as: 'alice' })
  t.equal(await devices('bob'), 1, 'nobody forgets another’s')
  await call('DELETE', `/users/me/devices/${deviceId}`, { as: 'bob' })
  t.equal(await devices('bob'), 0)
  const subscription = { endpoint, keys: browser.keys }
  for (const end of ['revoke-tokens', '']) {
    // Of carol: who acts for her needs no token of hers.
    await call('POST', '/users/me/devices', { as: 'service', onBehalfOf: 'carol', body: { kind: 'web', subscription } })
    t.equal(await devices('carol'), 1)
    await call(end ? 'POST' : 'DELETE', `/users/carol${end && `/${end}`}`, { as: 'service' })
    t.equal(await devices('carol'), 0, end || 'deleted')
  }
  for (let count = 0; count < 22; count += 1) await register(`${push.url}/push/${count}`, browser.keys, 'dave')
  t.equal(await devices('dave'), 20, 'no user has more')
})

t.test('without PUSH_CONTENT nothing of what was written leaves', async (t) => {
  const browser = createBrowser()
  const push = await pushService(t, () => ({ status: 201 }))
  const { send, register } = await open(t)
  await register(`${push.url}/push`, browser.keys)
  await send('a secret of alice')
  await until('it is pushed', () => push.received.length === 1)
  t.match(browser.read(push.received[0] as Received), { title: 'New messages', body: 'A new message', badge: 1 })
})
