import type { TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { COMMAND_NAMES, COMMANDS, type CommandName } from '../../contract/commands.js'
import { MessageId } from '../../contract/fields.js'
import { pick, type Random } from '../faults/random.js'
import { below } from './cases.js'
import { EVIL, HUGE, MessageRef, Raw } from './json.js'
import { CHAT_IDS, USER_IDS } from './world.js'

type Fields = Record<string, unknown>

const MESSAGES = 64
const CURSORS = [
  ...['', 'x', 'W10', 'bnVsbA', '%', 'WyJhIl0', 'eyJsZW5ndGgiOjJ9', 'W251bGwsbnVsbF0', '____', 'WyJhIiwiYiJd'],
  ...[
    ['2026-01-01T00:00:00.000Z', '00000000-0000-7000-8000-000000000000'],
    ['a\u0000'],
    ['2026-02-30T00:00:00.000Z', ''],
  ].map((keys) => Buffer.from(JSON.stringify(keys)).toString('base64url')),
]

const ids = (known: readonly string[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...known) },
    fc.constantFrom('nobody', '0', 'a b', '💥', '__proto__'),
  )
const messages = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: MESSAGES - 1 }).map((index) => new MessageRef(index)) },
  fc.uuid(),
)

/** What a field holds that is more than its type. */
const BY_NAME: Record<string, fc.Arbitrary<unknown>> = {
  chatId: ids(CHAT_IDS),
  userId: ids(USER_IDS),
  userIds: fc.array(ids(USER_IDS), { minLength: 1, maxLength: 4 }),
  memberIds: fc.array(ids(USER_IDS), { maxLength: 4 }),
  chats: fc.dictionary(ids(CHAT_IDS), fc.nat({ max: 5_000 }), { minKeys: 1, maxKeys: 3 }),
  cursor: fc.constantFrom(...CURSORS),
  clientMessageId: fc.nat({ max: 500 }).map((key) => `key-${key}`),
  beforeSeq: fc.nat({ max: 3_000 }),
  afterSeq: fc.nat({ max: 3_000 }),
  aroundSeq: fc.nat({ max: 3_000 }),
  upToSeq: fc.nat({ max: 3_000 }),
  limit: fc.integer({ min: 1, max: 6 }),
  emoji: fc.constantFrom('👍', '🎉', '👀', ':x:', 'é'),
  query: fc.oneof(
    fc.constantFrom('hello', 'a & b', "it's", '":*', '()', '!'),
    fc.string({ minLength: 1, maxLength: 20 }),
  ),
}

/** Values that fit a schema of the contract, and now and then one that its pattern refuses. */
export function arbitraryOf(schema: TSchema, name = ''): fc.Arbitrary<unknown> {
  const known = BY_NAME[name]
  if (known) return known
  if (schema.pattern === MessageId.pattern) return messages
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf && !schema.properties) return fc.oneof(...schema.anyOf.map((one: TSchema) => arbitraryOf(one)))
  const [type, other] = [schema.type].flat()
  if (other === 'null') return fc.option(arbitraryOf({ ...schema, type } as TSchema))
  if (type === 'null') return fc.constant(null)
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer')
    return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1_000, 10_000) })
  if (type === 'array') return fc.array(arbitraryOf(schema.items), { minLength: schema.minItems ?? 0, maxLength: 4 })
  if (type === 'object' && schema.properties) {
    const fields = Object.entries<TSchema>(schema.properties).map(([key, field]) => [key, arbitraryOf(field, key)])
    return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] })
  }
  if (type === 'object')
    return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  return fc.string({ minLength: schema.minLength ?? 0, maxLength: 40, unit: 'grapheme' })
}

/** A command and an input of it. */
export interface Sample {
  command: CommandName
  input: unknown
}

const REST: readonly CommandName[] = COMMAND_NAMES.filter((name) => name !== 'logout')

const samples = fc.oneof(
  ...REST.map((command) => arbitraryOf(COMMANDS[command].input).map((input): Sample => ({ command, input }))),
)

/** So many commands with inputs that fit, by a seed. */
export const sampleCommands = (seed: number, count: number): Sample[] => fc.sample(samples, { seed, numRuns: count })

/** So many values that fit a schema, by a seed. */
export const sampleInputs = (schema: TSchema, seed: number, count: number): unknown[] =>
  fc.sample(arbitraryOf(schema), { seed, numRuns: count })

/** One input made somewhat or entirely wrong. */
export function spoil(random: Random, input: unknown): unknown {
  const kind = random()
  if (kind < 0.1 || typeof input !== 'object' || input === null) return evil(random)
  const fields: Fields = { ...input }
  const keys = Object.keys(fields)
  const key = pick(random, [...keys, 'chatId', 'userId'])
  if (kind < 0.25) delete fields[key]
  else if (kind < 0.4) fields[pick(random, ['__proto', 'senderId', 'seq', 'toString', 'length', '', 'x\u0000'])] = 1
  else if (kind < 0.45) return new Raw(`{"__proto__":${evil(random).json}}`)
  else if (kind < 0.6) fields[key] = spoilDeep(random, fields[key])
  else fields[key] = evil(random)
  return fields
}

function spoilDeep(random: Random, value: unknown): unknown {
  if (Array.isArray(value)) return [...value, evil(random), ...value]
  if (typeof value === 'string') return value + pick(random, ['\u0000', '\ud800', ' ', '\u202e', 'x'.repeat(200), '"'])
  if (typeof value === 'object' && value !== null && !(value instanceof Raw)) return { ...value, x: evil(random) }
  return [value]
}

/** A piece of JSON that something did not expect. */
export function evil(random: Random): Raw {
  return below(random, 400) === 0 ? pick(random, HUGE) : pick(random, EVIL)
}
