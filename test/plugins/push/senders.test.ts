import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { jwtVerify } from 'jose'
import t from 'tap'
import type { UnreadNotice } from '../../../contract/notices.js'
import { createApns } from '../../../plugins/push/apns.js'
import { createFcm } from '../../../plugins/push/fcm.js'
import { toMessage } from '../../../plugins/push/message.js'
import { createPatience } from '../../../plugins/push/patience.js'
import { createPost } from '../../../plugins/push/post.js'
import type { Outcome, Sender } from '../../../plugins/push/sender.js'
import { createPushSink } from '../../../plugins/push/sink.js'
import type { Device } from '../../../services/devices/index.js'
import { pushService } from './services.js'

const notice: UnreadNotice = {
  noticeId: randomUUID(),
  userId: 'bob',
  chatId: 'room',
  fromSeq: 1,
  throughSeq: 2,
  unreadCount: 2,
  unreadMentions: 0,
  total: 7,
  lastMessage: null,
}
const message = toMessage(notice, false)
const device = (kind: Device['kind'], token: string): Device => ({
  deviceId: randomUUID(),
  userId: 'bob',
  kind,
  token,
  keys: null,
})
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

t.test('FCM: a token of Google’s for the service account, then HTTP v1', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  let tokens = 0
  let status = 200
  let body = '{"name":"projects/p/messages/1"}'
  const google = await pushService(t, ({ path }) => {
    if (path !== '/token') return { status, body }
    tokens += 1
    return { status: 200, body: JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3_600 }) }
  })
  const account = {
    project_id: 'p',
    client_email: 'chat@p.example',
    private_key: pem(privateKey),
    token_uri: `${google.url}/token`,
  }
  const fcm = createFcm(account, google.url)
  t.teardown(() => fcm.stop())
  const send = () => fcm.send(device('fcm', 'fcm-token'), message)
  t.same(await Promise.all([send(), send()]), ['sent', 'sent'])
  t.equal(tokens, 1, 'one token for both')
  const [asked, sent] = google.received
  const form = new URLSearchParams(asked?.body.toString())
  t.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
    audience: account.token_uri,
  })
  t.match(payload, { iss: account.client_email, scope: 'https://www.googleapis.com/auth/firebase.messaging' })
  t.equal(protectedHeader.alg, 'RS256')
  t.equal(Number(payload.exp) - Number(payload.iat), 3_600)
  t.match(sent, { path: '/v1/projects/p/messages:send', headers: { authorization: 'Bearer token-1' } })
  const said = JSON.parse(sent?.body.toString() ?? '{}')
  t.match(said.message, {
    token: 'fcm-token',
    notification: { title: 'New messages', body: '2 new messages' },
    data: { type: 'member.unread', chatId: 'room', throughSeq: '2', total: '7' },
    android: { collapse_key: message.collapseKey, notification: { notification_count: 7 } },
    apns: { payload: { aps: { badge: 7 } } },
  })
  t.ok(
    Object.values(said.message.data).every((value) => typeof value === 'string'),
    'data holds texts alone',
  )

  status = 404
  body = JSON.stringify({ error: { code: 404, details: [{ errorCode: 'UNREGISTERED' }] } })
  t.equal(await send(), 'gone')
  body = '{"error":{"status":"NOT_FOUND"}}'
  t.equal(await send(), 'refused', 'no such project is no device that is gone')
  status = 503
  t.equal(await send(), 'busy')
  status = 401
  t.equal(await send(), 'busy')
  status = 200
  t.equal(await send(), 'sent')
  t.equal(tokens, 2, 'a token that is no good is asked for anew')
})

t.test('APNs: HTTP/2, a signed token, one connection', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let status = 200
  let body = ''
  const apple = await pushService(t, () => ({ status, body }), 'http2')
  const apns = createApns({
    key: pem(privateKey),
    keyId: 'KEY1',
    teamId: 'TEAM1',
    topic: 'com.example.chat',
    url: apple.url,
  })
  t.teardown(() => apns.stop())
  const send = () => apns.send(device('apns', 'ab12'), message)
  t.same(await Promise.all([send(), send()]), ['sent', 'sent'])
  const [sent, other] = apple.received
  t.match(sent, {
    path: '/3/device/ab12',
    headers: {
      'apns-topic': 'com.example.chat',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-collapse-id': message.collapseKey,
    },
  })
  t.ok(Number(sent?.headers['apns-expiration']) > Date.now() / 1_000)
  t.equal(sent?.headers.authorization, other?.headers.authorization, 'Apple wants no new token for each')
  const token = sent?.headers.authorization?.replace('bearer ', '') ?? ''
  const { payload, protectedHeader } = await jwtVerify(token, publicKey, { issuer: 'TEAM1' })
  t.same(protectedHeader, { alg: 'ES256', kid: 'KEY1' })
  t.type(payload.iat, 'number')
  t.match(JSON.parse(sent?.body.toString() ?? '{}'), {
    aps: { alert: { title: 'New messages', body: '2 new messages' }, badge: 7, 'thread-id': message.collapseKey },
    chatId: 'room',
    throughSeq: 2,
  })
  const answers: [number, string, Outcome][] = [
    [410, 'Unregistered', 'gone'],
    [400, 'BadDeviceToken', 'gone'],
    [400, 'BadTopic', 'refused'],
    [429, 'TooManyRequests', 'busy'],
    [403, 'ExpiredProviderToken', 'busy'],
  ]
  for (const [code, reason, outcome] of answers) {
    status = code
    body = JSON.stringify({ reason })
    t.equal(await send(), outcome, reason)
  }
})

t.test('a push is tried again where that may help, and a service that fails each time is let rest', async (t) => {
  // The waits between tries keep no process alive, as this test must be.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(alive))
  const answers: Outcome[] = ['busy', 'busy', 'sent']
  let asked = 0
  const forgotten: string[] = []
  const sender: Sender = {
    originOf: ({ token }) => token,
    async send() {
      asked += 1
      const answer = answers.shift()
      if (!answer) throw new Error('connect ECONNREFUSED')
      return answer
    },
    stop() {},
  }
  const found = [device('web', 'one')]
  const logger = { warn() {}, debug() {} }
  const devices = { find: async () => found, forget: async ({ deviceId }: Device) => void forgotten.push(deviceId) }
  const sink = createPushSink({ senders: { web: sender }, devices, hasContent: false, logger, waitsMs: [1, 1] })
  await sink.deliver(notice)
  t.equal(asked, 3)
  answers.push('gone')
  await sink.deliver(notice)
  t.same([asked, forgotten], [4, [found[0]?.deviceId]])
  for (let count = 0; count < 4; count += 1) await sink.deliver(notice)
  t.equal(asked, 9, 'five failures, then none is tried')
  found[0] = device('web', 'another')
  await sink.deliver(notice)
  t.equal(asked, 12, 'another service is none the worse')
})

t.test('a service is tried again after its rest', async (t) => {
  let at = 0
  const patience = createPatience(() => at)
  for (let count = 0; count < 5; count += 1) patience.note('one', false)
  t.ok(patience.isResting('one'))
  at += 30_000
  t.notOk(patience.isResting('one'))
  patience.note('one', false)
  t.ok(patience.isResting('one'), 'and rests again at once')
  at += 30_000
  patience.note('one', true)
  patience.note('one', false)
  t.notOk(patience.isResting('one'))
})

t.test('what strangers name is reached at public addresses alone', async (t) => {
  const inside = await pushService(t, () => ({ status: 200 }))
  const { post, stop } = createPost({ isGuarded: true })
  t.teardown(stop)
  const { port } = new URL(inside.url)
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '10.0.0.1',
    '2130706433',
  ]) {
    await t.rejects(post(new URL(`http://${host}:${port}/`), {}, 'x'), { message: /not public/ }, host)
  }
  t.same(inside.received, [])
})
