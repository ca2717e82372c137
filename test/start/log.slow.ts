import { once } from 'node:events'
import { request } from 'node:http'
import { io } from 'socket.io-client'
import t, { type Test } from 'tap'
import { API_KEY, ask, type ClientSocket, embeddedDir, inSeconds, next, SECRET, sign } from '../helper.js'
import { startServer } from '../helpers/process.js'

t.setTimeout(600_000)

/** What would begin a line of its own, move a terminal's cursor, or end a JSON text; each would say FORGED. */
const HOSTILE = [
  'x\r\n{"level":60,"msg":"FORGED"}',
  'x\nFORGED [00:00:00] ERROR: root logged in',
  '\u001b[2J\u001b[1;31mFORGED\u001b[0m',
  '\u009b31mFORGED',
  '\b\b\b\bFORGED',
  '"},"msg":"FORGED","x":{"y":"',
  '\\"}\\nFORGED',
  '\u2028FORGED\u2029',
  '%0d%0aFORGED%1b[31m',
  '%s%j%o %d FORGED',
]
/** Every control character, but the end of a line. */
const CONTROL = /[^\P{Cc}\n]/u
/** An id may hold all but control characters. */
const NASTY_ID = '"},"msg":"FORGED"} %s <b>\\n'

/** Says everything that is hostile everywhere where something can be said. */
async function attack(t: Test, url: string): Promise<void> {
  const service = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
  const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
    send(url, method, path, headers, body === undefined ? undefined : JSON.stringify(body))
  for (const userId of ['alice', NASTY_ID]) {
    t.match(await call('PUT', `/users/${encodeURIComponent(userId)}`, service, { name: HOSTILE[0] }), /20[01]/)
  }
  const onBehalf = { ...service, 'x-on-behalf-of': NASTY_ID }
  const chat = { type: 'group', chatId: NASTY_ID, memberIds: ['alice'], title: HOSTILE[1] }
  t.equal(await call('POST', '/chats', onBehalf, chat), 201)

  for (const text of HOSTILE) {
    const [path, header] = [encodeURIComponent(text), text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')]
    await call('PUT', '/users/alice', service, { name: text })
    await call('GET', `/${path}`, { 'user-agent': header, referer: header, 'x-forwarded-for': header })
    await call('GET', `/chats/${path}/messages?beforeSeq=${path}`, { ...onBehalf, 'user-agent': header })
    await call('GET', '/chats', { ...service, 'x-on-behalf-of': header })
    await call('GET', '/chats', { authorization: `Bearer ${header}`, 'x-request-id': header, 'request-id': header })
    await call('POST', '/chats', { ...service, 'content-type': header || 'x' }, { [text]: text })
    await call('GET', `/socket.io/?EIO=4&transport=${path}&sid=${path}`, { origin: header })
    await send(url, 'POST', '/chats', service, `{"type":"${text}`)
  }

  const socket: ClientSocket = io(url, { auth: { token: tokenOf(HOSTILE[0] as string) }, transports: ['websocket'] })
  t.teardown(() => socket.disconnect())
  await next(socket, 'session')
  for (const text of HOSTILE) {
    const [chatId, metadata] = [NASTY_ID, { [text]: text }]
    t.match(await ask(socket, 'send_message', { chatId, content: text, metadata }), { ok: true })
    await ask(socket, 'update_chat', { chatId, title: text })
    await ask(socket, 'get_messages', { chatId: text })
    await ask(socket, text as 'get_chat', { chatId: text })
    const refused = io(url, {
      auth: { token: text },
      query: { token: text },
      transports: ['websocket'],
      forceNew: true,
    })
    await new Promise((resolve) => refused.once('connect_error', resolve))
    refused.disconnect()
  }
}

const tokenOf = (name: string) => sign({ sub: 'alice', name, exp: inSeconds(600) })

/** A request as it is: fetch would correct it. Answers the status; 0 where the connection ended. */
function send(url: string, method: string, path: string, headers: Record<string, string>, body = ''): Promise<number> {
  return new Promise((resolve) => {
    const call = request(url + path, { method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } })
    call.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
    call.on('error', () => resolve(0))
    call.end(body)
  })
}

const SECRETS = { JWT_SECRET: SECRET, SERVICE_API_KEYS: API_KEY, DEMO_DATA: 'false' }

/** The lines that a server says while it is attacked, and at its end, as a reader of its log finds them. */
async function linesOf(t: Test, env: Record<string, string>): Promise<string[]> {
  const { child, url } = await startServer(t, { ...SECRETS, ...env, DATA_DIR: await embeddedDir(t) })
  let log = ''
  child.stdout?.on('data', (data) => {
    log += data
  })
  await attack(t, url)
  child.kill('SIGTERM')
  await once(child, 'close')
  t.ok(log.endsWith('\n'))
  return log.trimEnd().split('\n')
}

t.test('what a stranger writes forges no line in production', async (t) => {
  const said = await linesOf(t, { CHAT_CREATION: 'users' })
  const lines = said.map((line) => JSON.parse(line))
  t.ok(lines.length > 50, 'it says a lot')
  t.same(
    lines.filter(({ msg }) => msg.includes('FORGED')),
    [],
  )
  t.same(
    said.filter((line) => CONTROL.test(line)),
    [],
  )
  const acting = lines.filter(({ msg }) => msg === 'a service acts for a user')
  t.ok(acting.length > HOSTILE.length, 'who acts for whom is said')
  t.match(acting[0], { level: 30, onBehalfOf: NASTY_ID, url: '/chats' })
  t.ok(acting.every(({ onBehalfOf }) => onBehalfOf === NASTY_ID))
})

t.test('nor in development', async (t) => {
  const said = await linesOf(t, { NODE_ENV: 'development' })
  t.ok(said.length > 50, 'it says a lot')
  const begins = /^\[\d\d:\d\d:\d\d\] (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)/
  t.same(
    said.filter((line) => CONTROL.test(line) || !begins.test(line)),
    [],
    'each line is a line of the log',
  )
})
