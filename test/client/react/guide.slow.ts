import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { build, connect, must, until } from '../../helper.js'
import { bundle, launch, needsChromium, open, root } from './browser.js'

t.setTimeout(600_000)

const guide = readFileSync(join(root, 'docs/client.md'), 'utf8')
const fences = (info: string): string[] =>
  [...guide.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === info).map(([, , code = '']) => code)

/** What the guide leaves to its reader, for the compiler. */
const READERS = `
declare function show(place: string, value: unknown): void
declare const serviceUrl: string
declare function askMyBackend(): Promise<string>
declare const listElement: HTMLElement
declare const NO_MESSAGE: string
`

/** The same, for the browser: what is shown is kept, and lines of messages are drawn into a box that scrolls. */
const readers = (token: string) => `
const listElement = document.body.appendChild(document.createElement('div'))
listElement.style = 'height: 200px; overflow-y: scroll; overflow-anchor: none'
const shown = []
Object.assign(globalThis, {
  listElement,
  shown,
  serviceUrl: location.origin,
  askMyBackend: async () => ${JSON.stringify(token)},
  NO_MESSAGE: '00000000-0000-7000-8000-000000000000',
  show(place, value) {
    shown.push([place, value])
    if (place !== 'messages') return
    listElement.replaceChildren(...value.map((text) => Object.assign(document.createElement('p'), { textContent: text })))
  },
})
`

/** What the compiler has against this source, in a file beside this one. */
function complaints(source: string): string[] {
  const { config } = ts.readConfigFile(join(root, 'client/tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'client'))
  const file = join(root, 'test/client/react/guide.snippets.tsx')
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => path === file || fileExists(path)
  host.readFile = (path) => (path === file ? source : readFile(path))
  host.getSourceFile = (path, version, ...rest) =>
    path === file ? ts.createSourceFile(path, source, version) : getSourceFile(path, version, ...rest)
  const program = ts.createProgram([file], { ...options, noEmit: true }, host)
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ messageText, start = 0 }) =>
        `${source.slice(start, start + 60)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
}

t.test('the snippets fit the types', async (t) => {
  t.ok(fences('ts').length > 8 && fences('tsx').length === 1)
  t.same(complaints(READERS + fences('ts').join('\n')), [])
  t.same(complaints(READERS + fences('tsx').join('\n')), [])
  t.not(complaints(`${READERS}${fences('ts').join('\n')}\nroom.send('a text')`).length, 0, 'a mistake is found')
})

t.test('the guide in a browser', needsChromium, async (t) => {
  const browser = await launch(t)
  await t.test('five lines', (t) => fiveLines(t, browser))
  await t.test('from the connection to signing out', (t) => wholeGuide(t, browser))
  await t.test('with React', (t) => withReact(t, browser))
})

type Browser = Awaited<ReturnType<typeof launch>>

async function fiveLines(t: Test, browser: Browser) {
  const [source = ''] = fences('js five-lines')
  const readme = readFileSync(join(root, 'client/README.md'), 'utf8')
  t.ok(readme.includes(source), 'the README of the package has the same lines')
  t.equal(source.split('\n\n')[1]?.split('\n').length, 5)
  const service = await build(t, { nodeEnv: 'development', demoData: true, web: true, jwtSecret: undefined })
  const { page, faults } = await open(
    t,
    browser,
    service,
    await bundle(source.replace('http://localhost:3002', service.url)),
  )
  await page.getByText('Welcome to the demo.').waitFor()
  await page.getByText('Hello from five lines').waitFor()
  t.same(faults, [])
}

async function wholeGuide(t: Test, browser: Browser) {
  const service = await build(t, { uploads: 'folder' })
  const { body } = await service.call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })
  const { chatId } = body.chat
  const { socket: bob } = await connect(t, service, 'bob')
  for (let line = 1; line <= 130; line += 1) await must(bob, 'send_message', { chatId, content: `line ${line}` })

  const snippets = fences('ts')
  const pause =
    'shown.push(["paused", true])\nawait new Promise((resolve) => Object.assign(globalThis, { goOn: resolve }))'
  const program = [readers(service.token('alice')), ...snippets.slice(0, -1), pause, ...snippets.slice(-1)]
  const { page, faults } = await open(
    t,
    browser,
    service,
    await bundle(`${program.join('\n')}\nshown.push(["done", true])`),
  )
  const shown = async (place: string) =>
    (await page.evaluate<[string, unknown][]>('shown')).filter(([name]) => name === place).map(([, value]) => value)
  const sees = (place: string, value: unknown) =>
    until(`${place}: ${JSON.stringify(value)}`, async () => {
      if (faults.length > 0) throw new Error(faults.join())
      return JSON.stringify((await shown(place)).at(-1)) === JSON.stringify(value)
    })

  await sees('paused', true)
  t.match(await shown('banner'), ['Connecting …'])
  await sees('banner', null)
  await sees('me', 'ALICE')
  const messages = (await shown('messages')).at(-1) as string[]
  t.equal(messages[0], 'BOB: line 31')
  t.ok((await shown('messages')).flat().includes('ALICE: Hello, Bob!'), 'the edit')
  t.ok(messages.includes('ALICE: deleted'))
  t.same(await shown('way back'), [true])
  const anchored = await page.evaluate<string>(
    '[...listElement.children].find((line) => line.offsetTop - listElement.offsetTop >= listElement.scrollTop).textContent',
  )
  t.equal(anchored, 'BOB: line 81', 'what was the first line before the older ones came')
  t.ok(
    (await shown('waiting')).flat().includes('queued: Hello, Bob') ||
      (await shown('waiting')).flat().includes('sending: Hello, Bob'),
  )
  t.equal((await shown('failed')).length > 0, true, 'an answer to nothing')
  t.equal((await shown('progress')).at(-1), 1)
  await sees('file', 'Milk, bread')
  await sees('refusal', 'CONFLICT')
  await sees('bob', 'online')

  await must(bob, 'mark_as_read', { chatId, upToSeq: 200 })
  await sees('read by', ['bob'])
  await must(bob, 'typing', { chatId, isTyping: true })
  await sees('typing', ['BOB'])
  await must(bob, 'send_message', { chatId, content: 'line 131' })
  await sees('title', '(1)')
  await sees('list', [{ name: 'BOB', last: 'line 131', badge: '1' }])

  await page.evaluate('goOn()')
  await sees('done', true)
  await until('Alice is gone', async () => (await service.call('GET', '/health')).body.connections === 1)
  t.same(faults, [])
}

async function withReact(t: Test, browser: Browser) {
  const service = await build(t)
  const made = { type: 'group', title: 'Demo', memberIds: ['bob'], chatId: 'demo' }
  await service.call('POST', '/chats', { as: 'service', onBehalfOf: 'alice', body: made })
  await service.call('POST', '/chats', { as: 'bob', body: { type: 'direct', memberIds: ['alice'] } })
  const { socket: bob } = await connect(t, service, 'bob')
  const app = `import { createRoot } from 'react-dom/client'\ncreateRoot(document.getElementById('app')).render(<App userId="alice" />)`
  const program = [readers(service.token('alice')), ...fences('tsx'), app].join('\n')
  const { page, faults } = await open(t, browser, service, await bundle(program))
  await page.getByRole('status').getByText('online').waitFor()
  await page.getByLabel('Message').fill('from the guide')
  await page.getByLabel('Message').press('Enter')
  await page.getByText('from the guide', { exact: true }).waitFor()
  await must(bob, 'send_message', { chatId: 'demo', content: 'to the guide' })
  await page.getByText('to the guide').waitFor()
  await page.getByRole('button', { name: 'BOB' }).click()
  await page.getByText('to the guide').waitFor({ state: 'detached' })
  t.same(faults, [])
}
