import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, connect, must, next, until } from '../helper.js'

t.setTimeout(180_000)

const root = packageRoot()
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const [, client = ''] = /```js client\.mjs\n([\s\S]*?)```/.exec(readme) ?? []

t.test('the README’s client does what the README says', async (t) => {
  const service = await build(t)
  const made = await service.call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })
  const { chatId } = made.body.chat
  const bob = await connect(t, service, 'bob')

  t.ok(client.trimEnd().split('\n').length <= 20, 'it is short')
  t.match(client, "'http://localhost:3002'")
  const script = client.replace('http://localhost:3002', service.url)
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    env: { PATH: process.env.PATH, TOKEN: service.token('alice') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  const hears = (line: string) => until(`“${line}”, having said: ${said}`, () => said.includes(line))

  const { content, clientMessageId } = await next(bob.socket, 'new_message')
  t.equal(content, 'Hello from a script')
  t.ok(clientMessageId)
  await hears('connected as ALICE, in 1 chats')
  await hears('stored as 1')
  await hears('1 ALICE: Hello from a script')

  await must(bob.socket, 'send_message', { chatId, content: 'Hello back' })
  await hears('2 BOB: Hello back')
  bob.socket.disconnect()
  await hears('bob is offline')
  child.kill()
  await once(child, 'exit')
})

t.test('the quick start does what it says', async (t) => {
  const service = await build(t, { demoData: true })
  const text = readFileSync(join(root, 'docs/quick-start.md'), 'utf8')
  const lines = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, code = '']) => code.split('\n'))
  const run = async (line: string) => {
    const command = line.replace('curl ', 'curl --silent --fail ').replace('localhost:3002', new URL(service.url).host)
    const env = { PATH: process.env.PATH, TOKEN: service.token('alice') }
    return JSON.parse((await promisify(execFile)('bash', ['-c', command], { env })).stdout)
  }
  const asked = lines.filter((line) => line.startsWith('curl '))
  t.equal(asked.length, 4)
  const [list = '', send = '', read = '', sync = ''] = asked
  t.match(await run(list), { chats: [{ chatId: String }, { chatId: String }] })
  t.match(await run(send), { message: { content: 'Hello by REST', seq: 2 }, duplicate: false })
  t.match(await run(send), { message: { seq: 2 }, duplicate: true })
  t.match(await run(read), { messages: [{ seq: 1 }, { content: 'Hello by REST' }] })
  const { changes } = (await run(sync)).chats.demo
  t.match(changes.at(-1), { type: 'message_created', message: { content: 'Hello by REST' } })
})

t.test('docs/dependencies.md says why each dependency is here, and names no other', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const text = readFileSync(join(root, 'docs/dependencies.md'), 'utf8')
  const rows = [...text.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => cell.match(/[^`, ]+/g) ?? [])
  t.same(rows.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort())
})
