import t from 'tap'
import webPush from 'web-push'
import { build, embeddedDir } from '../helper.js'

const { publicKey, privateKey } = webPush.generateVAPIDKeys()
const VAPID = { vapidPublicKey: publicKey, vapidPrivateKey: privateKey, vapidSubject: 'mailto:chat@example.com' }

t.test('a front end is told the key of Web Push where there is push, and the page whether there is', async (t) => {
  const dataDir = await embeddedDir(t)
  const open = async (options: object) => {
    const service = await build(t, { dataDir, web: true, ...options })
    const key = await service.call('GET', '/push/key', { as: 'alice' })
    const page = await service.call('GET', '/page/settings')
    const nobody = await service.call('GET', '/push/key', { headers: { 'x-forwarded-for': '192.0.2.1' } })
    await service.host.close()
    t.match(nobody, { status: 401 }, 'not to who is nobody')
    return { key, page }
  }
  const on = await open({ ...VAPID, maxMessageChars: 500, maxUploadBytes: 1_000 })
  t.match(on.key, { status: 200, body: { publicKey } })
  t.same(on.page.body, { maxMessageChars: 500, maxUploadBytes: 1_000, pushKey: publicKey })
  t.notOk(JSON.stringify(on).includes(privateKey), 'never the private one')

  for (const [why, options] of [
    ['not set up', {}],
    ['nobody is told of unread messages', { ...VAPID, notifyAfterMs: 0 }],
  ] as const) {
    const off = await open(options)
    t.match(off.key, { status: 404, body: { error: { code: 'NOT_FOUND' } } }, why)
    t.match(off.page, { status: 200, body: { maxMessageChars: 8_000, pushKey: null } }, why)
  }
})
