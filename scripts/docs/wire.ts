import type { TSchema } from '@sinclair/typebox'
import { CLOSINGS, Closing } from '../../contract/closings.js'
import { COMMAND_NAMES, COMMANDS } from '../../contract/commands.js'
import { ERRORS, ErrorBody } from '../../contract/errors.js'
import { EVENT_NAMES, EVENTS } from '../../contract/events.js'
import * as shapes from '../../contract/shapes.js'
import { UploadTarget } from '../../contract/uploads.js'
import { keysOf } from '../../contract/words.js'
import { commentOf } from './sentences.js'

/** The parts of a JSON schema that say what type it is. */
interface Schema {
  title?: string
  type?: string | string[]
  enum?: string[]
  const?: string | number | boolean
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
}

const SIMPLE: Record<string, string> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
}

const HEAD = `// Written by \`npm run docs\` from contract/: change it there.

/** What an acknowledgement holds. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody }

/** The name of a command. */
export type CommandName = keyof Commands
/** What a command takes. */
export type Input<C extends CommandName> = Commands[C]['input']
/** What a command answers. */
export type Output<C extends CommandName> = Commands[C]['output']

/** The name of an event. */
export type EventName = keyof Events
/** What an event holds. */
export type EventPayload<E extends EventName> = Events[E]

/** Socket.IO's types for what clients send. */
export type ClientToServerEvents = {
  [C in CommandName]: (payload: Input<C>, ack?: (answer: Ack<Output<C>>) => void) => void
}
/** Socket.IO's types for what the server sends. */
export type ServerToClientEvents = {
  [E in EventName]: (payload: EventPayload<E>) => void
}
`

/** The types of the wire as a module that knows nothing else: client/src/wire.ts. */
export function wireTypes(): string {
  const named = new Map<string, Schema>(
    Object.entries({ ...schemas(shapes), ErrorBody, Closing, UploadTarget, Session: EVENTS.session.payload }),
  )
  /** A shape by its own name, also where it is a copy that may be left out; else what it is made of. */
  const nameOf = (schema: Schema) =>
    [...named].find(
      ([name, known]) =>
        known === schema || (schema.title !== undefined && (schema.title === name || known.title === schema.title)),
    )?.[0]

  const typeOf = (schema: Schema): string => nameOf(schema) ?? madeOf(schema)

  function madeOf(schema: Schema): string {
    const { anyOf, const: value, enum: words, type, items, properties, additionalProperties } = schema
    if (value !== undefined) return JSON.stringify(value)
    if (words) return union([...words.map((word) => JSON.stringify(word)), ...(type?.includes('null') ? ['null'] : [])])
    if (properties) return objectOf(schema)
    if (anyOf) return union(anyOf.map(typeOf))
    if (type === 'array') return `(${items ? typeOf(items) : 'unknown'})[]`
    if (type === 'object')
      return `Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>`
    return type === undefined ? 'unknown' : union([type].flat().map((name) => SIMPLE[name] ?? 'unknown'))
  }

  function objectOf({ properties = {}, required = [] }: Schema): string {
    const fields = Object.entries(properties).map(
      ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(field)}`,
    )
    return fields.length === 0 ? 'Record<string, never>' : `{ ${fields.join('; ')} }`
  }

  const types = [...named].map(([name, schema]) => {
    const isOpen = schema.properties !== undefined
    const text = isOpen ? `export interface ${name} ${objectOf(schema)}` : `export type ${name} = ${madeOf(schema)}`
    return commentOf(name) + text
  })
  const commands = COMMAND_NAMES.map((name) => {
    const { summary, input, output } = COMMANDS[name]
    return `/** ${summary} */\n${name}: { input: ${typeOf(input)}; output: ${typeOf(output)} }`
  })
  const events = EVENT_NAMES.map((name) => `/** ${EVENTS[name].summary} */\n${name}: ${typeOf(EVENTS[name].payload)}`)
  return [
    HEAD,
    `/** A code of the catalogue of errors. */\nexport type ErrorCode = ${union(keysOf(ERRORS).map((code) => JSON.stringify(code)))}`,
    `/** A code of the catalogue of closings. */\nexport type ClosingCode = ${union(keysOf(CLOSINGS).map((code) => JSON.stringify(code)))}`,
    ...types,
    `/** Every command, by its event. */\nexport interface Commands { ${commands.join('\n')} }`,
    `/** Every event that the server sends. */\nexport interface Events { ${events.join('\n')} }`,
  ].join('\n\n')
}

const union = (types: string[]) => [...new Set(types)].join(' | ')

/** What of a module is a schema. */
function schemas(module: Record<string, unknown>): Record<string, TSchema> {
  const entries = Object.entries(module) as [string, TSchema][]
  return Object.fromEntries(entries.filter(([name]) => /^[A-Z]/.test(name) && name !== 'Time'))
}
