import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { MAX_MENTIONS, MAX_METADATA_BYTES, MAX_METADATA_DEPTH, type PageSize } from './limits.js'

/** A closed object: unknown fields are refused. */
export function Closed<T extends TProperties>(properties: T, options: Record<string, unknown> = {}): TObject<T> {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

/** What an id is made of, whatever its length. */
export const ID_PATTERN = '^[^\\p{Cc}\\p{Cs}]*$'

/** An opaque id that users bring: 1..128 characters, no control characters. */
export const Id = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: ID_PATTERN,
  description: 'must be 1 to 128 characters without control characters',
})

/** A message id: a UUID made by the server. */
export const MessageId = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'must be a UUID',
})

const TEXT = '^(?=[\\s\\S]*\\S)[^\\u0000\\p{Cs}]*$'
const TEXT_RULE = 'must not be only white space, nor hold NUL or lone surrogates'

/** Text that says something, counted in code points; the ceiling of `content` itself is the setting MAX_MESSAGE_CHARS. */
export const Text = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: TEXT, description: TEXT_RULE })

/** The content of a message. */
export const Content = Type.String({ minLength: 1, pattern: TEXT, description: TEXT_RULE })

/** Whom a message is to name; who is no member is left out, and everyone where that is not for its sender to say. */
export const MentionsAsked = Closed({
  userIds: Type.Optional(Type.Array(Id, { maxItems: MAX_MENTIONS })),
  everyone: Type.Optional(Type.Boolean()),
})

/** Free JSON of an app: at most 4 KiB and 8 levels deep; no NUL, lone surrogates, `__proto__` or numbers JSON cannot hold. */
export const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  plainJson: { maxBytes: MAX_METADATA_BYTES, maxDepth: MAX_METADATA_DEPTH },
})

/** A point in time, in RFC 3339; whether there is such a day is asked of the calendar. */
export const Time = Type.Unsafe<string>({
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$',
  isTime: true,
  description: 'must be a time in RFC 3339',
})

/** A whole number from 0. */
export const Whole = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })

/** How much of a page is wanted. */
export const Limit = ({ maximum, standard }: PageSize) => Type.Integer({ minimum: 1, maximum, default: standard })

/** One of some words. */
export const OneOf = <T extends string>(words: readonly T[]) => Type.Unsafe<T>({ type: 'string', enum: words })

/** An opaque cursor, as a page's `nextCursor` gave it. */
export const Cursor = Type.String({ minLength: 1, maxLength: 512 })

/** A bounded list of ids; one that stands twice in it counts twice. */
export const Ids = (maxItems: number, minItems = 1) => Type.Array(Id, { minItems, maxItems })

/** A schema or null. */
export function Nullable<T extends TSchema>(schema: T) {
  if (typeof schema.type === 'string' && schema.type !== 'object') {
    return Type.Unsafe<T['static'] | null>({ ...schema, type: [schema.type, 'null'] })
  }
  return Type.Unsafe<T['static'] | null>({ anyOf: [schema, { type: 'null' }] })
}
