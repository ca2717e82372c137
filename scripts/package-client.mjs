// Packs both packages, and makes a chat of them in an empty Vite project as docs/client.md tells: five lines, then React.
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { call, end, endAll, freePort, hasBrowser, must, openTab, start, stop } from './apps.mjs'
import { clientRoot, makeTarball, root, run, tempFolder } from './tarball.mjs'

const guide = readFileSync(join(root, 'docs/client.md'), 'utf8')
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const say = (text) => console.log(`✅ ${text}`)

/** The code of the guide under this name. */
function fence(name) {
  const [, code] = guide.match(new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm')) ?? []
  must(code, `docs/client.md has no code named ${name}`)
  return code
}

/** A folder as `npm create vite` would begin it, with the packed client in it. */
function emptyProject(tarball) {
  const folder = tempFolder('vite')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  const names = ['vite', 'react', 'react-dom', 'typescript', '@types/react', '@types/react-dom']
  const others = names.map((name) => `${name}@${devDependencies[name]}`)
  run('npm', ['install', '--prefer-offline', '--no-audit', tarball, ...others], { cwd: folder })
  return folder
}

function installService(tarball) {
  const folder = tempFolder('service')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'chat', private: true, type: 'module' }))
  run('npm', ['install', '--prefer-offline', '--no-audit', tarball], { cwd: folder })
  return folder
}

/** Writes a page, builds it and serves it. */
async function serve(folder, files) {
  const main = Object.keys(files)[0]
  const html = `<!doctype html><link rel="icon" href="data:," /><div id="app"></div><script type="module" src="/${main}"></script>`
  for (const [name, text] of Object.entries({ ...files, 'index.html': html })) writeFileSync(join(folder, name), text)
  run('npx', ['vite', 'build', '--emptyOutDir'], { cwd: folder })
  const url = `http://localhost:${await freePort()}`
  const preview = ['node_modules/vite/bin/vite.js', 'preview', '--strictPort', '--port', new URL(url).port]
  return { url, preview: await start(folder, preview, {}, url) }
}

/** A page, and what went wrong in it. */
async function openPage(url) {
  const tab = await openTab()
  const faults = []
  tab.on('pageerror', (error) => faults.push(String(error)))
  tab.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  await tab.goto(url)
  return { tab, faults }
}

async function fiveLines(folder, chatUrl, bob) {
  const { url, preview } = await serve(folder, {
    'main.js': fence('js five-lines').replace('http://localhost:3002', chatUrl),
  })
  const coming = once(bob, 'new_message')
  const { tab, faults } = await openPage(url)
  await tab.getByText('Welcome to the demo.').waitFor()
  await tab.getByText('Hello from five lines', { exact: true }).waitFor()
  must((await coming)[0].content === 'Hello from five lines', 'what the page sends does not arrive')
  await bob.emitWithAck('send_message', { chatId: 'demo', content: 'Hello back' })
  await tab.getByText('Hello back').waitFor()
  must(faults.length === 0, faults.join('\n'))
  await stop(preview)
  say('five lines in an empty Vite project are a chat')
}

async function withReact(folder, chatUrl) {
  const main = `${fence('tsx')}
import { createRoot } from 'react-dom/client'

const serviceUrl = '${chatUrl}'
const askMyBackend = async (): Promise<string> => (await (await fetch(serviceUrl + '/demo/tokens')).json()).alice
createRoot(document.getElementById('app') as HTMLElement).render(<App userId="alice" />)
`
  const strict = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable'],
    jsx: 'react-jsx',
  }
  const bundler = { module: 'esnext', moduleResolution: 'bundler', types: [] }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...strict, ...bundler }, files: ['main.tsx'] }),
  )
  const { url, preview } = await serve(folder, { 'main.tsx': main })
  run('npx', ['tsc', '-p', '.'], { cwd: folder })
  const { tab, faults } = await openPage(url)
  await tab.getByText('Hello back').waitFor()
  await tab.getByLabel('Message').fill('from React')
  await tab.getByLabel('Message').press('Enter')
  await tab.getByText('from React', { exact: true }).waitFor()
  must(faults.length === 0, faults.join('\n'))
  await stop(preview)
  say('the guide’s React fits the packed types and is a chat')
}

try {
  must(hasBrowser, 'there is no browser')
  const client = makeTarball(clientRoot)
  const odd = client.files.filter((name) => !/^(dist\/.+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(name))
  must(odd.length === 0, `the client's package holds what it should not: ${odd.join(', ')}`)
  say(`chat-socket-client: ${client.files.length} files, ${Math.round(client.bytes / 1_000)} kB`)
  const folder = emptyProject(client.tarball)
  const service = installService(makeTarball().tarball)
  const chatUrl = `http://localhost:${await freePort()}`
  const env = { NODE_ENV: 'development', DATA_DIR: './data', PORT: new URL(chatUrl).port }
  mkdirSync(join(service, 'data'))
  const chat = await start(service, 'node_modules/chat-socket-service/dist/server.js', env, `${chatUrl}/ready`)
  const tokens = await call(`${chatUrl}/demo/tokens`)
  const bob = io(chatUrl, { auth: { token: tokens.bob }, forceNew: true })
  await once(bob, 'session')
  await fiveLines(folder, chatUrl, bob)
  await withReact(folder, chatUrl)
  await end('the chat', chat, [bob])
} catch (error) {
  console.error(`❌ ${error.message}`)
  process.exitCode = 1
} finally {
  await endAll()
}
