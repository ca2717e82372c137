import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { COMMAND_NAMES, COMMANDS, type Command } from '../../contract/commands.js'
import { ERRORS } from '../../contract/errors.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import { keysOf } from '../../contract/words.js'
import { openApi } from '../../scripts/docs/api/openapi.js'
import { packageRoot } from '../../services/package-root.js'
import { type Actor, COMMAND_ROWS, type Mark, ROUTE_ROWS, readRow } from '../who/matrix.js'

interface Content {
  schema: { $ref?: string }
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

interface Parameter {
  $ref?: string
  in: string
  name: string
  schema: object
  example?: unknown
}

interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: Record<string, unknown>[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Record<string, Content> }
  responses: Record<string, { $ref?: string; description: string; content?: Record<string, Content> }>
}

interface OpenApi {
  info: { version: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { responses: Record<string, { content: Record<string, Content> }>; schemas: Record<string, object> }
}

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
// As it travels: without the marks of TypeBox.
const document = JSON.parse(JSON.stringify(openApi(version))) as OpenApi
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
)
const text = JSON.stringify(document)

const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ ...document, $id: 'openapi' })

/** What is wrong with an example, by the schema at a JSON pointer into the document. */
function faultsAt(pointer: string[], example: unknown): unknown {
  const path = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const validate = ajv.getSchema(`openapi#/${path}`)
  if (!validate) return `no schema at ${path}`
  return validate(example) ? [] : validate.errors
}

t.test('every route of the tables that is for programs is an operation by its name', async (t) => {
  const commands = COMMAND_NAMES.filter((name) => (COMMANDS[name] as Command).rest)
  const resources = RESOURCE_NAMES.filter((name) => {
    const { answers, media }: Resource = RESOURCES[name]
    return answers ?? media
  })
  t.same(operations.map(({ operationId }) => operationId).sort(), [...commands, ...resources].sort())
  t.equal(document.info.version, version)
})

t.test('an operation says what it is, and its tag has a sentence', async (t) => {
  const tags = new Map(document.tags.map(({ name, description }) => [name, description]))
  for (const {
    operationId,
    summary,
    description,
    tags: [tag = ''],
  } of operations) {
    t.match(summary, /^[A-Z][a-z ]+$/, operationId)
    t.match(description, /\.$/, operationId)
    t.match(tags.get(tag), /\.$/, `${operationId}: ${tag}`)
  }
  t.equal(tags.size, document.tags.length)
})

t.test('shapes are components, told once, and nothing of our validator is left', async (t) => {
  t.notMatch(JSON.stringify(document.paths), '"properties"', 'no shape stands in a path')
  for (const name of ['User', 'Message', 'Member', 'Chat', 'MyChat', 'Presence', 'Change', 'Role', 'ErrorBody']) {
    t.ok(document.components.schemas[name], name)
  }
  t.notMatch(text, /plainJson|isTime|def-\d|\\p\{/)
  for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/(\w+\/\w+)"/g)) {
    const [kind = '', key = ''] = name.split('/')
    t.ok((document.components as unknown as Record<string, object>)[kind]?.[key as never], name)
  }
  const referred = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
  t.same(
    Object.keys(document.components.schemas).filter((name) => !referred.has(name)),
    [],
    'each is used',
  )
})

t.test('the examples fit the schemas beside them', async (t) => {
  let count = 0
  const check = (pointer: string[], example: unknown): void => {
    count += 1
    t.same(faultsAt(pointer, example), [], pointer.join(' '))
  }
  for (const { path, method, parameters = [], requestBody, responses } of operations) {
    const here = ['paths', path, method]
    for (const [i, parameter] of parameters.entries()) {
      if (parameter.in === 'path') t.ok(parameter.example, `${method} ${path}: ${parameter.name} has an example`)
      if (parameter.example !== undefined) check([...here, 'parameters', `${i}`, 'schema'], parameter.example)
    }
    const json = requestBody?.content['application/json']
    if (json) check([...here, 'requestBody', 'content', 'application/json', 'schema'], json.example)
    for (const [status, { content }] of Object.entries(responses)) {
      const answer = content?.['application/json']
      if (answer?.schema.$ref) {
        check([...here, 'responses', status, 'content', 'application/json', 'schema'], answer.example)
      }
    }
  }
  for (const [name, { content }] of Object.entries(document.components.responses)) {
    for (const { value } of Object.values(content['application/json']?.examples ?? {})) {
      check(['components', 'responses', name, 'content', 'application/json', 'schema'], value)
    }
  }
  t.ok(count > 100, `${count} examples`)
})

t.test('every code of the catalogue has its example at its status', async (t) => {
  const codes = Object.values(document.components.responses).flatMap(({ content }) =>
    Object.keys(content['application/json']?.examples ?? {}),
  )
  t.same(codes.sort(), keysOf(ERRORS).sort())
})

// openapi-typescript demanded an empty body for reactions and leaving.
t.test('no call has to send a body that says nothing', async (t) => {
  const bodies = new Map(operations.map(({ operationId, requestBody }) => [operationId, requestBody]))
  for (const name of ['add_reaction', 'remove_reaction', 'leave_chat', 'pin_message', 'block_user', 'ban_member']) {
    t.equal(bodies.get(name), undefined, name)
  }
  t.equal(bodies.get('mute_member')?.required, false)
  t.equal(bodies.get('send_message')?.required, true)
})

// A generated client had to say how much of a page it wants: a default made the field one that is always there.
t.test('what has a default need not be given', async (t) => {
  t.notMatch(JSON.stringify(document.components.schemas), '"default"')
  const limit = document.paths['/chats']?.get?.parameters?.find(({ name }) => name === 'limit')
  t.match(limit, { required: false, schema: { default: 50 } })
})

/** What an actor is answered, by the marks of the matrix. */
const STATUSES: Record<string, number> = {
  '-': ERRORS.NOT_FOUND.status,
  V: ERRORS.VALIDATION_FAILED.status,
  U: ERRORS.UNAUTHENTICATED.status,
  C: ERRORS.CONFLICT.status,
  K: ERRORS.CONFLICT.status,
  ...Object.fromEntries([...'FMBSOX'].map((mark) => [mark, ERRORS.FORBIDDEN.status])),
}

/** What the matrix of test/who, which is asked of the real server, says that each actor is answered. */
const ROWS = new Map<string, string[]>([
  ...Object.entries(COMMAND_ROWS).map(([name, cases]): [string, string[]] => [
    name,
    Object.values(cases).map(([, row]) => row),
  ]),
  ...Object.entries(ROUTE_ROWS).map(([name, [, row]]): [string, string[]] => [name, [row]]),
])

t.test('what the matrix says that somebody is answered is told', async (t) => {
  for (const { operationId, responses } of operations) {
    const marks = new Set((ROWS.get(operationId) ?? []).flatMap((row) => [...readRow(row).values()]))
    t.ok(marks.size > 0, operationId)
    for (const mark of marks) {
      const status = STATUSES[mark]
      if (status) t.ok(responses[status], `${operationId}: ${status}`)
    }
  }
})

// /health asked for a token, and routes for services alone were told like any other.
t.test('who may call is told as the matrix has it', async (t) => {
  for (const { operationId, security, parameters = [] } of operations) {
    const schemes = security.flatMap((one) => Object.keys(one))
    const marks = (ROWS.get(operationId) ?? []).map(readRow)
    const is = (actor: Actor, mark: Mark) => marks.some((row) => row.get(actor) === mark)
    if (schemes.includes('uploadToken')) {
      t.ok(is('anonymous', '-'), `${operationId} is for who holds its token`)
      continue
    }
    t.equal(schemes.length > 0, is('anonymous', 'U'), `${operationId}, by nobody`)
    if (schemes.length === 0) continue
    t.equal(!schemes.includes('userToken'), is('member', 'X'), `${operationId}, by a user`)
    t.ok(schemes.includes('serviceToken') && schemes.includes('apiKey'), `${operationId}, by a service`)
    const mayActFor = parameters.some(({ $ref }) => $ref === '#/components/parameters/OnBehalfOf')
    t.equal(mayActFor, !is('for a member', 'X'), `${operationId}, by a service for a user`)
  }
})
