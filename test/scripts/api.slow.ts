import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { packageRoot } from '../../services/package-root.js'
import { tempDir } from '../helper.js'

t.setTimeout(300_000)

const root = packageRoot()
const textOf = (name: string) => readFileSync(join(root, 'docs', name), 'utf8')
const openapi = textOf('openapi.json')
const asyncapi = textOf('asyncapi.json')

/** Lints two documents as `npm run lint:api` does those of docs/. */
function lint(t: Test, openapi: string, asyncapi: string): { status: number | null; stdout: string } {
  const folder = tempDir(t)
  const paths = ['openapi.json', 'asyncapi.json'].map((name) => join(folder, name))
  writeFileSync(paths[0] ?? '', openapi)
  writeFileSync(paths[1] ?? '', asyncapi)
  return spawnSync(process.execPath, ['scripts/lint-api.mjs', ...paths], { cwd: root, encoding: 'utf8' })
}

t.test('three linters have nothing to say of the documents', async (t) => {
  const { status, stdout } = lint(t, openapi, asyncapi)
  t.equal(stdout, 'Redocly: no warning\nSpectral: no warning\nAsyncAPI: no warning\n')
  t.equal(status, 0)
})

t.test('each of them sees what is wrong', async (t) => {
  const { status, stdout } = lint(
    t,
    openapi
      .replace('"operationId": "send_message"', '"operationId": "edit_message"')
      .replace('"servers"', '"x-servers"'),
    asyncapi.replace('#/channels/socket/messages/typing_ack', '#/channels/socket/messages/typing_answer'),
  )
  t.equal(status, 1)
  t.match(stdout, /no-empty-servers/)
  t.match(stdout, /operation-operationId-unique/)
  t.match(stdout, /invalid-ref|typing_answer/)
})

/** A client in ten lines over the generated types, and calls that use it. */
const CALLS = `
import type { operations, paths } from './api.js'

type Answer<O> = O extends { responses: { 200: { content: { 'application/json': infer A } } } } ? A : never
type Body<O> = O extends { requestBody?: never }
  ? undefined
  : O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : undefined
declare function call<N extends keyof operations>(
  name: N,
  path: operations[N]['parameters']['path'],
  body: Body<operations[N]>,
): Promise<Answer<operations[N]>>

const { message, duplicate } = await call('send_message', { chatId: 'general' }, { content: 'hello' })
const text: string | null = message.content
const isThere: boolean = duplicate && message.sender.name.length > 0
await call('add_reaction', { messageId: message.id, emoji: '👍' }, undefined)
await call('leave_chat', { chatId: 'general' }, undefined)
const { chat } = await call('update_chat', { chatId: 'general' }, { title: null, slowModeSeconds: 5 })
const type: 'direct' | 'group' = chat.type
const { statuses } = await call('get_statuses', undefined, { userIds: ['bob'] })
const status: 'online' | 'away' | 'dnd' | 'offline' | undefined = statuses[0]?.status
const { chats } = await call('sync', undefined, { chats: { general: 5 } })
const of = chats.general
const head: number | undefined = of && 'head' in of ? of.head : undefined
const health: paths['/health']['get']['responses'][503]['content']['application/json']['status'] = 'down'
export { head, health, isThere, status, text, type }
`

/** Calls that a typed client does not let through. */
const WRONG = [
  `await call('send_message', { chatId: 'general' }, { contents: 'hello' })`,
  `await call('send_message', {}, { content: 'hello' })`,
  `await call('update_chat', { chatId: 'general' }, { slowModeSeconds: 'five' })`,
  `const gone: string = message.sender.nickname`,
  `await call('send_messages', { chatId: 'general' }, { content: 'hello' })`,
]

t.test('a TypeScript client that is generated from the document knows its calls', async (t) => {
  const folder = tempDir(t)
  writeFileSync(join(folder, 'api.ts'), astToString(await openapiTS(openapi)))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const file = join(folder, 'calls.ts')

  /** What the compiler says of the calls, each by the line it stands on, counted from the first wrong one. */
  const faultsOf = (text: string): number[] => {
    writeFileSync(file, text)
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      noUncheckedIndexedAccess: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      types: [],
    })
    return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      t.comment(ts.flattenDiagnosticMessageText(messageText, '\n'))
      return (file?.getLineAndCharacterOfPosition(start).line ?? -1) - CALLS.split('\n').length + 1
    })
  }
  t.same(faultsOf(CALLS), [], 'right calls')
  t.same(
    faultsOf(CALLS + WRONG.join('\n')),
    WRONG.map((_call, line) => line),
    'each wrong one',
  )
})
