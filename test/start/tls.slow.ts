import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import t, { type Test } from 'tap'
import type { ChatSocket } from '../../client/src/stock.js'
import { API_KEY, embeddedDir, inSeconds, must, next, SECRET, sign, tempDir } from '../helper.js'
import { startServer } from '../helpers/process.js'
import { refuses } from './refuses.js'

t.setTimeout(600_000)

function makeCertificate(t: Test) {
  const dir = tempDir(t)
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', TLS_KEY_FILE, '-out', TLS_CERT_FILE], {
    stdio: 'ignore',
  })
  return { TLS_CERT_FILE, TLS_KEY_FILE }
}

t.test('the process over https: REST, wss and polling, and its end', async (t) => {
  const files = makeCertificate(t)
  const env = { JWT_SECRET: SECRET, SERVICE_API_KEYS: API_KEY, AUTO_CREATE_USERS: 'true', CHAT_CREATION: 'users' }
  const { child, url } = await startServer(t, { ...env, ...files, DATA_DIR: await embeddedDir(t) })
  t.match(url, /^https:/)
  const ca = readFileSync(files.TLS_CERT_FILE, 'utf8')

  const status = new Promise((resolve, reject) => {
    get(`${url}/health`, { ca, headers: { 'x-api-key': API_KEY } }, (response) => resolve(response.statusCode)).once(
      'error',
      reject,
    )
  })
  t.equal(await status, 200)
  await t.rejects(fetch(`${url.replace('https:', 'http:')}/health`), 'plain http gets no answer')

  const clients = ['websocket', 'polling'].map((transport, i): ChatSocket => {
    const token = sign({ sub: `user-${i}`, exp: inSeconds(60) })
    return io(url, { ca, auth: { token }, transports: [transport], forceNew: true, reconnection: false })
  })
  t.teardown(() => {
    for (const socket of clients) socket.disconnect()
  })
  const [ann, ben] = clients as [ChatSocket, ChatSocket]
  await Promise.all([next(ann, 'session'), next(ben, 'session')])
  const { chat } = await must(ann, 'create_chat', { type: 'direct', memberIds: ['user-1'] })
  const coming = next(ben, 'new_message')
  await must(ann, 'send_message', { chatId: chat.chatId, content: 'over TLS' })
  t.match(await coming, { content: 'over TLS' })

  const closings = Promise.all([ann, ben].map((socket) => next(socket, 'server_draining')))
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await closings
  t.same((await ended)[0], 0, 'it drains as over http')
})

t.test('certificates that are none', async (t) => {
  const [one, other] = [makeCertificate(t), makeCertificate(t)]
  const both = /Of TLS_CERT_FILE and TLS_KEY_FILE one is missing: set both/
  await refuses(t, { TLS_CERT_FILE: one.TLS_CERT_FILE }, both)
  await refuses(t, { TLS_KEY_FILE: one.TLS_KEY_FILE }, both)
  await refuses(t, { ...one, TLS_KEY_FILE: join(tempDir(t), 'none') }, /TLS_KEY_FILE cannot be read \(ENOENT\)/)
  const own = /TLS_CERT_FILE and TLS_KEY_FILE are no pair/
  await refuses(t, { ...one, TLS_KEY_FILE: other.TLS_KEY_FILE }, own)
  const garbage = join(tempDir(t), 'garbage')
  writeFileSync(garbage, 'no PEM')
  await refuses(t, { ...one, TLS_CERT_FILE: garbage }, own)
})
