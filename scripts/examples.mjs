// Installs each example from the packed tarball into an empty folder, checks its types, starts it, asks it, and ends it with
// SIGTERM while clients are connected. `node scripts/examples.mjs host-app` does one of them.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { call, connect, end, endAll, freePort, hasBrowser, must, openTab, secret, start } from './apps.mjs'
import { addOrders } from './examples-orders.mjs'
import { clientRoot, makeTarball, root, run, tempFolder } from './tarball.mjs'

function install(name, tarballs) {
  const folder = tempFolder(name)
  cpSync(join(root, 'examples', name), folder, {
    recursive: true,
    filter: (path) => !/node_modules|package-lock|dist$/.test(path),
  })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  for (const [dependency, tarball] of Object.entries(tarballs)) {
    for (const kind of [manifest.dependencies, manifest.devDependencies ?? {}])
      if (kind[dependency]) kind[dependency] = `file:${tarball}`
  }
  writeFileSync(file, JSON.stringify(manifest, null, 2))
  run('npm', ['install'], { cwd: folder })
  run('npm', ['run', 'build'], { cwd: folder })
  return folder
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
    const orders = await addOrders()
    const env = {
      ...{ JWT_SECRET: secret(), SERVICE_API_KEYS: secret(), NODE_ENV: 'production', DATA_DIR: './data' },
      WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
    }
    const chatUrl = `http://127.0.0.1:${await freePort()}`
    const url = `http://127.0.0.1:${await freePort()}`
    const server = 'node_modules/chat-socket-service/dist/server.js'
    const judged = { ...env, BEFORE_SEND_URL: `${url}/before-send`, BEFORE_SEND_SECRET: `whsec_${secret()}` }
    const ofChat = { ...judged, ...orders.ofChat, PORT: new URL(chatUrl).port }
    const chat = await start(folder, server, ofChat, `${chatUrl}/ready`)
    await orders.grant()
    const ofApi = { ...judged, ...orders.ofApi, CHAT_URL: chatUrl, PORT: new URL(url).port }
    const api = await start(folder, 'dist/server.js', ofApi, `${chatUrl}/live`)
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
    const note = await orders.check({ url, chatId, socket: clients[0], secret: env.WEBHOOK_SECRET })
    const told = await end('the chat', chat, clients)
    await end('main-api', api)
    await orders.end()
    return `${told}, ${note}`
  },

  async widget(folder) {
    const chatUrl = `http://localhost:${await freePort()}`
    const url = `http://localhost:${await freePort()}`
    const server = 'node_modules/chat-socket-service/dist/server.js'
    const env = { NODE_ENV: 'development', DATA_DIR: './data', PORT: new URL(chatUrl).port, CORS_ORIGINS: url }
    const chat = await start(folder, server, env, `${chatUrl}/ready`)
    const site = await start(folder, 'serve.js', { PORT: new URL(url).port, CHAT_URL: chatUrl }, url)
    const tokens = await call(`${chatUrl}/demo/tokens`)
    const clients = [await connect(chatUrl, tokens.bob)]
    must((await fetch(`${chatUrl}/chat-room.js`)).ok, 'the widget is not served')
    let note = 'without a browser'
    if (hasBrowser) {
      const tab = await openTab()
      await tab.goto(`${url}/?user=alice`)
      await tab.locator('.room').getByText('Welcome to the demo.').waitFor()
      const coming = once(clients[0], 'new_message')
      await tab.locator('.composer textarea').fill('from the shop')
      await tab.keyboard.press('Enter')
      must((await coming)[0].content === 'from the shop', 'what the widget sends does not arrive')
      note = 'in Chromium'
    }
    const told = await end('the chat', chat, clients)
    await end('widget', site)
    return `${told}, ${note}`
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
    if (hasBrowser) {
      const tab = await openTab()
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

  async 'react-chat'(folder) {
    const chatUrl = `http://localhost:${await freePort()}`
    const url = `http://localhost:${await freePort()}`
    const server = 'node_modules/chat-socket-service/dist/server.js'
    const env = { NODE_ENV: 'development', DATA_DIR: './data', PORT: new URL(chatUrl).port }
    let chat = await start(folder, server, env, `${chatUrl}/ready`)
    const preview = ['node_modules/vite/bin/vite.js', 'preview', '--strictPort', '--port', new URL(url).port]
    await start(folder, preview, {}, url)
    const tokens = await call(`${chatUrl}/demo/tokens`)
    const bob = io(chatUrl, { auth: { token: tokens.bob }, forceNew: true })
    await once(bob, 'session')
    if (!hasBrowser) {
      bob.disconnect()
      return `${await end('the chat', chat)}, without a browser`
    }
    const tab = await openTab()
    const write = async (text) => {
      await tab.getByLabel('Message').fill(text)
      await tab.getByLabel('Message').press('Enter')
    }
    await tab.goto(`${url}/?user=alice&chat=${encodeURIComponent(chatUrl)}`)
    await tab.getByRole('status').getByText('online', { exact: true }).waitFor()
    await tab.getByRole('button', { name: 'Bob' }).click()
    const coming = once(bob, 'new_message')
    await write('from React')
    const [{ chatId, seq, content }] = await coming
    must(content === 'from React', 'what the page sends does not arrive')
    await tab.getByText('Alice: from React ✓', { exact: true }).waitFor()
    await bob.emitWithAck('mark_as_read', { chatId, upToSeq: seq })
    await tab.getByText('Alice: from React ✓✓', { exact: true }).waitFor()
    const told = await end('the chat', chat, [bob])
    await tab.getByRole('status').getByText('offline').waitFor()
    await write('from a tunnel')
    await tab.getByText('from a tunnel (queued)').waitFor()
    await tab.reload()
    chat = await start(folder, server, env, `${chatUrl}/ready`)
    await tab.getByRole('button', { name: 'Bob' }).click()
    await tab.getByText('Alice: from a tunnel ✓', { exact: true }).waitFor()
    await end('the chat', chat)
    return `${told}, in Chromium, and once more after a tunnel`
  },
}

let name = 'packing'
try {
  const tarballs = {
    'chat-socket-client': makeTarball(clientRoot).tarball,
    'chat-socket-service': makeTarball().tarball,
  }
  const chosen = process.argv.slice(2)
  for (name of chosen.length > 0 ? chosen : Object.keys(cases)) {
    const folder = install(name, tarballs)
    console.log(`✅ ${name}: installed, types checked, started, asked; ${await cases[name](folder)}`)
  }
} catch (error) {
  console.error(`❌ ${name}: ${error.message}`)
  process.exitCode = 1
} finally {
  await endAll()
}
