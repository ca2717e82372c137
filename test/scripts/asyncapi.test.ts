import { Ajv } from 'ajv'
import t from 'tap'
import { CLOSINGS } from '../../contract/closings.js'
import { COMMAND_NAMES } from '../../contract/commands.js'
import { EVENT_NAMES } from '../../contract/events.js'
import { keysOf } from '../../contract/words.js'
import { asyncApi } from '../../scripts/docs/api/asyncapi.js'

interface Reference {
  $ref: string
}

interface Message {
  name: string
  payload: Reference
  examples: { name: string; payload: unknown }[]
}

interface Operation {
  action: 'send' | 'receive'
  description?: string
  messages: Reference[]
  reply?: { messages: Reference[] }
}

interface AsyncApi {
  channels: { socket: { messages: Record<string, Reference> } }
  operations: Record<string, Operation>
  components: { messages: Record<string, Message>; schemas: Record<string, object> }
}

// As it travels: without the marks of TypeBox.
const document = JSON.parse(JSON.stringify(asyncApi('1.0.0'))) as AsyncApi
const { messages, schemas } = document.components

/** The message that a reference of an operation leads to, by way of its channel. */
function messageAt([reference]: Reference[]): Message | undefined {
  const [, name = ''] = /^#\/channels\/socket\/messages\/(\w+)$/.exec(reference?.$ref ?? '') ?? []
  const [, key = ''] =
    /^#\/components\/messages\/(\w+)$/.exec(document.channels.socket.messages[name]?.$ref ?? '') ?? []
  return messages[key]
}

const operations = Object.values(document.operations)
const received = operations.filter(({ action }) => action === 'receive')
const sent = operations.filter(({ action }) => action === 'send')

t.test('every command is received, every event sent, and each command has its acknowledgement', async (t) => {
  t.same(
    received.map((operation) => messageAt(operation.messages)?.name),
    COMMAND_NAMES,
  )
  t.same(
    received.map(({ reply }) => messageAt(reply?.messages ?? [])?.name),
    COMMAND_NAMES.map((name) => `${name}_ack`),
  )
  t.same(
    sent.map((operation) => messageAt(operation.messages)?.name),
    EVENT_NAMES,
  )
})

t.test('the examples fit the payloads', async (t) => {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  ajv.addSchema({ components: document.components, $id: 'asyncapi' })
  for (const { name, payload, examples } of Object.values(messages)) {
    const validate = ajv.getSchema(`asyncapi${payload.$ref}`)
    for (const example of examples) {
      t.ok(validate?.(example.payload), `${name}, ${example.name}: ${JSON.stringify(validate?.errors)}`)
    }
    t.ok(examples.length > 0, name)
  }
})

t.test('each reference leads somewhere, and nothing of our validator is left', async (t) => {
  const text = JSON.stringify(document)
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) t.ok(schemas[name], name)
  t.notMatch(text, /plainJson|isTime|\\p\{/)
})

t.test('commands tell how they may be refused, and the last event why a socket ends', async (t) => {
  for (const { description = '' } of received) t.match(description, / may tell of `.*`UNAVAILABLE`/)
  const { description = '' } = document.operations.on_closing ?? {}
  for (const code of keysOf(CLOSINGS)) t.match(description, `\`${code}\`: ${CLOSINGS[code].message}`)
})
