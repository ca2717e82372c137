import { Type } from '@sinclair/typebox'
import { OneOf } from './fields.js'
import { MAX_FILE_NAME_CHARS } from './limits.js'
import { Time } from './shapes.js'

/** What an object store takes in one PUT; the ceiling of a file itself is the setting MAX_UPLOAD_BYTES. */
export const MAX_FILE_BYTES = 5_368_709_120

/** The name of a file: no part of a path, and nothing that is not seen or turns the text around, which could hide what it ends in. */
export const FileName = Type.String({
  minLength: 1,
  maxLength: MAX_FILE_NAME_CHARS,
  pattern: '^(?!\\.{1,2}$)(?=[\\s\\S]*\\S)[^/\\\\\\p{Cc}\\p{Cs}\\u202A-\\u202E\\u2066-\\u2069]*$',
  description: 'must be the name of a file: no path, no control characters',
})

/** A media type as RFC 6838 has it, in lower case and without parameters. */
export const MimeType = Type.String({
  minLength: 3,
  maxLength: 127,
  pattern: '^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$',
  description: 'must be a media type as image/png, in lower case and without parameters',
})

/** Where the bytes of a file go, once: a URL that begins with / is this service's. */
export const UploadTarget = Type.Object(
  {
    method: OneOf(['PUT'] as const),
    url: Type.String(),
    headers: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
    expiresAt: Time,
  },
  { title: 'UploadTarget' },
)
