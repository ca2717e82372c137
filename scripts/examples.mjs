// Installs each example from the packed tarball into an empty folder, checks its types, starts it, asks it, and ends it with
// SIGTERM while clients are connected. `node scripts/examples.mjs host-app` does one of them.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { makeTarball, root, run, tempFolder } from './tarball.mjs'

const START_MS = 120_000
const END_MS = 5_000
const CHROMIUM = '/usr/bin/chromium'
const running = new Set()
let browser
const secret = () => randomBytes(36).toString('base64')

function must(holds, what) {
  if (!holds) throw new Error(what)
}

function install(name, tarball) {
  const folder = tempFolder(name)
  cpSync(join(root, 'examples', name), folder, {
    recursive: true,
    filter: (path) => !/node_modules|package-lock|dist$/.test(path),
  })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  manifest.dependencies['chat-socket-service'] = `file:${tarball}`
  writeFileSync(file, JSON.stringify(manifest, null, 2))
  run('npm', ['install'], { cwd: folder })
  run('npm', ['run', 'build'], { cwd: folder })
  return folder
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a program and waits until a URL answers. */
async function start(folder, program, env, url) {
  const child = spawn(process.execPath, [program], { cwd: folder, env: { ...process.env, ...env }, stdio: 'pipe' })
  running.add(child)
  let said = ''
  child.stdout.on('data', (text) => (said += text))
  child.stderr.on('data', (text) => (said += text))
  for (const end = Date.now() + START_MS; ; await sleep(200)) {
    must(child.exitCode === null && child.signalCode === null, `${program} ended while it started:\n${said}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return child
    must(Date.now() < end, `${program} does not answer at ${url}:\n${said}`)
  }
}

async function end(name, child, clients = []) {
  must(
    clients.every((socket) => socket.connected),
    `${name}: a client is not connected at the end`,
  )
  const startedAt = Date.now()
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const [code, signal] = await Promise.race([ended, sleep(END_MS * 2, ['never'], { ref: false })])
  const ms = Date.now() - startedAt
  running.delete(child)
  for (const socket of clients) socket.disconnect()
  must(code === 0 && ms <= END_MS, `${name} ended with ${code ?? signal} after ${ms} ms of SIGTERM`)
  return `${ms} ms to end with ${clients.length} clients`
}

async function call(url, { method = 'GET', token, body, status = 200 } = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  must(response.status === status, `${method} ${url} answered ${response.status} in place of ${status}: ${text}`)
  return JSON.parse(text)
}

async function connect(url, token, options = {}) {
  const socket = io(url, { auth: { token }, forceNew: true, reconnection: false, ...options })
  const refused = once(socket, 'connect_error').then(([error]) => Promise.reject(error))
  await Promise.race([once(socket, 'session'), refused])
  refused.catch(() => {})
  return socket
}

const cases = {
  async 'host-app'(folder) {
    const url = `http://127.0.0.1:${await freePort()}`
    const host = await start(folder, 'dist/server.js', { SECRET: secret(), PORT: new URL(url).port }, `${url}/stats`)
    const login = (name) => call(`${url}/login`, { method: 'POST', body: { name } })
    const [{ token: ann }, { token: ben }] = [await login('Ann'), await login('Ben')]
    const me = await call(`${url}/me`, { token: ann })
    must(me.sub === 'ann', 'the host does not know its own token')
    const made = { type: 'direct', memberIds: ['ben'] }
    const { chat } = await call(`${url}/chat/chats`, { method: 'POST', token: ann, body: made, status: 201 })
    const clients = [
      await connect(url, ann, { path: '/chat/socket.io' }),
      await connect(url, ben, { path: '/chat/socket.io', transports: ['polling'] }),
    ]
    const coming = once(clients[1], 'new_message')
    const sent = await clients[0].emitWithAck('send_message', { chatId: chat.chatId, content: 'hello' })
    must(sent.ok && (await coming)[0].content === 'hello', 'a message does not arrive')
    const refused = await clients[0].emitWithAck('send_message', { chatId: chat.chatId, content: 'darn' })
    must(refused.error?.code === 'FORBIDDEN', 'authorize is not asked')
    const reminded = once(clients[0], 'new_message')
    await call(`${url}/remind/${chat.chatId}/ben`, { method: 'POST' })
    must((await reminded)[0].content === 'A reminder.', `the host's own message does not arrive`)
    must((await call(`${url}/stats`)).online === 2, 'the host does not see who is online')
    const { paths } = await call(`${url}/docs/json`)
    must(paths['/chat/chats/{chatId}/messages'] && paths['/login'], 'the documents are not of both')
    await call(`${url}/chat/nothing`, { status: 404 })
    return end('host-app', host, clients)
  },

  async 'main-api'(folder) {
    const env = { JWT_SECRET: secret(), SERVICE_API_KEYS: secret(), NODE_ENV: 'production', DATA_DIR: './data' }
    const chatUrl = `http://127.0.0.1:${await freePort()}`
    const url = `http://127.0.0.1:${await freePort()}`
    const server = 'node_modules/chat-socket-service/dist/server.js'
    const judged = { ...env, BEFORE_SEND_URL: `${url}/before-send`, BEFORE_SEND_SECRET: `whsec_${secret()}` }
    const chat = await start(folder, server, { ...judged, PORT: new URL(chatUrl).port }, `${chatUrl}/ready`)
    const port = new URL(url).port
    const api = await start(folder, 'dist/server.js', { ...judged, CHAT_URL: chatUrl, PORT: port }, `${chatUrl}/live`)
    for (let tries = 0; tries < 100 && !(await fetch(url).catch(() => null)); tries += 1) await sleep(100)

    const signUp = (id) => call(`${url}/people`, { method: 'POST', body: { id, name: id }, status: 201 })
    const [{ token: ann }, { token: ben }] = [await signUp('ann'), await signUp('ben')]
    const clients = [await connect(chatUrl, ann)]
    const added = once(clients[0], 'chat_added')
    const team = { method: 'PUT', body: { title: 'Red', people: ['ann', 'ben'] } }
    const { chatId } = await call(`${url}/teams/red`, { ...team, status: 201 })
    must((await added)[0].chatId === chatId, 'who is online is not told of the chat')
    await call(`${url}/teams/red`, team)
    clients.push(await connect(chatUrl, ben))
    const page = await clients[1].emitWithAck('get_messages', { chatId })
    const contents = page.data.messages.map(({ content }) => content)
    must(contents.join() === 'Welcome to Red!', `the team has these messages: ${contents.join()}`)
    const write = (content) => clients[1].emitWithAck('send_message', { chatId, content })
    must((await write('spam')).error?.message === 'No spam, please.', 'the judge is not asked')
    must((await write('darn it')).data?.message.content === '**** it', 'what the judge replaces stays')
    must(
      (await fetch(`${url}/before-send`, { method: 'POST', body: '{}' })).status === 401,
      'a stranger may ask the judge',
    )
    must((await call(`${url}/people/ann/presence`)).isOnline, 'ann does not seem to be online')
    await call(`${url}/people/%20/presence`)
    const told = await end('the chat', chat, clients)
    await end('main-api', api)
    return told
  },

  async 'browser-client'(folder) {
    const chatUrl = `http://localhost:${await freePort()}`
    const url = `http://localhost:${await freePort()}`
    const server = 'node_modules/chat-socket-service/dist/server.js'
    const env = { NODE_ENV: 'development', DATA_DIR: './data', PORT: new URL(chatUrl).port }
    const chat = await start(folder, server, env, `${chatUrl}/ready`)
    const page = await start(folder, 'serve.js', { PORT: new URL(url).port }, url)
    const tokens = await call(`${chatUrl}/demo/tokens`)
    const clients = [await connect(chatUrl, tokens.bob)]
    let note = 'without a browser'
    if (existsSync(CHROMIUM)) {
      const { chromium } = await import('playwright-core')
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
      })
      const tab = await browser.newPage()
      await tab.goto(`${url}/?user=alice&chat=${encodeURIComponent(chatUrl)}`)
      await tab.getByText('online as Alice').waitFor()
      await tab.getByText('Carol: Welcome to the demo.').waitFor()
      const coming = once(clients[0], 'new_message')
      await tab.getByLabel('Message').fill('from a page')
      await tab.getByRole('button').click()
      must((await coming)[0].content === 'from a page', 'what the page sends does not arrive')
      await clients[0].emitWithAck('send_message', { chatId: 'demo', content: 'to the page' })
      await tab.getByText('Bob: to the page').waitFor()
      note = 'in Chromium'
    } else {
      for (const path of ['/', '/page.js', '/socket.io.js']) must((await fetch(url + path)).ok, `${path} is not served`)
    }
    const told = await end('the chat', chat, clients)
    await end('browser-client', page)
    return `${told}, ${note}`
  },
}

let name = 'packing'
try {
  const { tarball } = makeTarball()
  const chosen = process.argv.slice(2)
  for (name of chosen.length > 0 ? chosen : Object.keys(cases)) {
    const folder = install(name, tarball)
    console.log(`✅ ${name}: installed, types checked, started, asked; ${await cases[name](folder)}`)
  }
} catch (error) {
  console.error(`❌ ${name}: ${error.message}`)
  process.exitCode = 1
} finally {
  await browser?.close()
  for (const child of running) child.kill('SIGKILL')
}
