import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { TSchema } from '@sinclair/typebox'
import { decodePacket, decodePayload } from 'engine.io-parser'
import { createSigner, createVerifier, TokenError } from 'fast-jwt'
import { Decoder } from 'socket.io-parser'
import { COMMAND_NAMES, COMMANDS } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { Id, MessageId, Text } from '../../contract/fields.js'
import { MAX_TOKEN_BYTES } from '../../contract/limits.js'
import { RESOURCES, type Resource } from '../../contract/resources.js'
import { createOrigins } from '../../plugins/origins.js'
import { toFrames } from '../../plugins/socket/frames.js'
import { asksFor } from '../../plugins/socket/polling.js'
import { readCursor, writeCursor } from '../../services/cursors.js'
import { readClaims } from '../../services/session/claims.js'
import { readAvatarUrl, readName } from '../../services/session/profile.js'
import { check, compile } from '../../services/validator.js'
import { pick, type Random } from '../faults/random.js'
import { below } from './cases.js'
import { frameOf, stir } from './frames.js'
import { toText } from './json.js'
import { evil, sampleInputs, spoil } from './payloads.js'

/** Something that reads bytes of strangers: makes an input of its kind, and answers what reads it. */
export interface Target {
  name: string
  /** Begins a case: answers what draws an input and gives the reading of it, to be called more than once. */
  begin(random: Random, seed: number): () => () => void
  /** Whether it may say no this way. */
  mayThrow(error: unknown): boolean
}

const MESSAGE_IDS = ['0198c0de-0000-7000-8000-000000000000', '0198c0de-0000-7000-8000-000000000001']
const PARSER_WORDS =
  /^(unknown packet type|Illegal attachments|too many attachments|invalid payload|illegal attachments|got (plaintext|binary) data|Unknown type)/
const never = () => false
const ofCatalogue =
  (...codes: string[]) =>
  (error: unknown) =>
    error instanceof ChatError && codes.includes(error.code)
const parsed = (json: string): unknown => JSON.parse(json)
const simple = (name: string, draw: (random: Random) => () => void, mayThrow: Target['mayThrow'] = never): Target => ({
  name,
  begin: (random) => () => draw(random),
  mayThrow,
})

/** A text out of the evil ones, the frames and plain noise. */
function textOf(random: Random): string {
  const kind = random()
  const json = kind < 0.5 ? evil(random).json : frameOf(random)
  if (kind < 0.3 && json.startsWith('"')) return String(parsed(json))
  return kind < 0.8
    ? stir(random, json)
    : String.fromCharCode(...Array.from({ length: below(random, 30) }, () => below(random, 65_536)))
}

function bytesOf(random: Random): Buffer {
  return Buffer.from(Array.from({ length: below(random, 60) }, () => below(random, 256)))
}

/** A validator of a schema, given what fits it and what nearly does. */
function validatorOf(name: string, schema: TSchema, options: { coerce?: boolean } = {}): Target {
  const validate = compile(schema, options)
  return {
    name,
    mayThrow: ofCatalogue('VALIDATION_FAILED'),
    begin(random, seed) {
      const inputs = sampleInputs(schema, seed, 200)
      return () => {
        const input = pick(random, inputs)
        const value = parsed(toText(random() < 0.3 ? input : spoil(random, input), MESSAGE_IDS))
        return () => check(validate, value)
      }
    },
  }
}

const decoders: Target = {
  name: 'packets of Socket.IO',
  mayThrow: (error) => error instanceof Error && PARSER_WORDS.test(error.message),
  begin(random) {
    return () => {
      const frames = Array.from({ length: 1 + below(random, 3) }, () =>
        random() < 0.8 ? stir(random, frameOf(random).slice(1)) : bytesOf(random),
      )
      return () => {
        const decoder = new Decoder()
        for (const frame of frames) decoder.add(frame)
      }
    }
  },
}

const CLAIMS = { userClaim: 'sub', requireExp: true, maxLifetimeS: 31_622_400 }
const claims = simple(
  'claims',
  (random) => {
    const now = Math.floor(Date.now() / 1_000)
    const good: Record<string, unknown> = {
      sub: 'user',
      exp: now + 60,
      iat: now,
      name: 'User',
      picture: 'https://x.y/z',
      scope: 'a',
    }
    const json = toText(spoil(random, { ...good, [pick(random, Object.keys(good))]: evil(random) }), [])
    // A token has no room for more.
    const payload = parsed(random() < 0.1 || json.length > MAX_TOKEN_BYTES ? JSON.stringify(good) : json)
    return () => readClaims(payload, CLAIMS)
  },
  ofCatalogue('UNAUTHENTICATED', 'TOKEN_EXPIRED'),
)

const KEY = 'nQ4xW8rK2vT6yB1mZ5cJ9pL3sD7gF0hE'
const TOKEN = createSigner({ key: KEY, algorithm: 'HS256' })({ sub: 'user', exp: 4_000_000_000 })
const verify = createVerifier({ key: KEY, algorithms: ['HS256'] })
const tokens = simple(
  'tokens',
  (random) => {
    const token = random() < 0.7 ? stir(random, TOKEN) : textOf(random)
    return () => void verify(token)
  },
  (error) => error instanceof TokenError,
)

const KINDS = [['time', 'uuid'], ['id'], ['id', 'id'], ['time', 'id'], []] as const
const cursors = simple(
  'cursors',
  (random) => {
    const kinds = pick(random, KINDS)
    const keys = [textOf(random), '2026-01-01T00:00:00.000Z', MESSAGE_IDS[0] as string, textOf(random)]
    const good = writeCursor(...kinds.map(() => pick(random, keys)))
    const kind = random()
    const cursor =
      kind < 0.4
        ? good
        : kind < 0.7
          ? stir(random, good)
          : kind < 0.85
            ? textOf(random)
            : Buffer.from(evil(random).json).toString('base64url')
    return () => void readCursor(cursor, ...kinds)
  },
  ofCatalogue('VALIDATION_FAILED'),
)

function requestOf(url: string, headers: Record<string, string>): IncomingMessage {
  return Object.assign(new IncomingMessage(SOCKET), { url, headers })
}
const SOCKET = new Socket()
const ORIGINS = [
  'http://localhost:3000',
  'https://good.example',
  'null',
  'http://127.0.0.1',
  'http://[::1]:80',
  'https://x',
]
const listed = [
  createOrigins({ isProduction: false }),
  createOrigins({ isProduction: true, CORS_ORIGINS: 'https://good.example' }),
]
const origins = simple('origins', (random) => {
  const origin = stir(random, random() < 0.5 ? pick(random, ORIGINS) : textOf(random))
  const request = requestOf('/socket.io/', { origin, host: stir(random, 'localhost:3000') })
  return () => void listed.map(({ isAllowed }) => isAllowed(request))
})

const queries = simple('queries of Engine.IO', (random) => {
  // Node lets no other characters through, and Engine.IO no other path.
  const url = `/socket.io/${stir(random, '?EIO=4&transport=polling&sid=x&j=%30').replace(/[^\x21-\x7e]/g, '')}${textOf(random).replace(/[^\x21-\x7e]/g, '')}`
  const request = requestOf(url, {})
  return () => void [asksFor(request, 'sid'), asksFor(request, 'j')]
})

const frames = simple('frames of a WebSocket', (random) => {
  const texts = Array.from({ length: 1 + below(random, 3) }, () =>
    textOf(random)
      .repeat(1 + below(random, 20))
      .slice(0, 100_000),
  )
  return () => {
    const bytes = toFrames(texts)
    let at = 0
    for (const text of texts) {
      const [size, head] = sizeAt(bytes, at)
      const said = bytes.toString('utf8', at + head, at + head + size)
      if (said !== Buffer.from(text).toString()) throw new Error('a frame holds another text')
      at += head + size
    }
    if (at !== bytes.length) throw new Error('the frames are longer than they say')
  }
})

function sizeAt(bytes: Buffer, at: number): [size: number, head: number] {
  const size = bytes[at + 1] as number
  if (size < 126) return [size, 2]
  return size === 126 ? [bytes.readUInt16BE(at + 2), 4] : [Number(bytes.readBigUInt64BE(at + 2)), 10]
}

const FIELDS = [Id, MessageId, Text(200)].map((schema) => compile(schema))
const fields = simple('ids and texts', (random) => {
  const text = random() < 0.01 ? textOf(random).repeat(2_000).slice(0, 65_536) : textOf(random)
  return () => {
    for (const fits of FIELDS) fits(text)
    readName(text)
    readAvatarUrl(random() < 0.5 ? text : `https://${text}`)
  }
})

const engine = simple('packets of Engine.IO', (random) => {
  const packet = random() < 0.8 ? stir(random, frameOf(random)) : bytesOf(random)
  return () => void decodePacket(packet, 'nodebuffer')
})

const payloads = simple('bodies of Engine.IO', (random) => {
  const body = Array.from({ length: below(random, 6) }, () => stir(random, frameOf(random))).join('\u001e')
  return () => void decodePayload(body, 'nodebuffer')
})

const resources = Object.entries<Resource>(RESOURCES).flatMap(([name, { input }]) =>
  Object.entries(input).map(([part, schema]) => validatorOf(`${name}: ${part}`, schema, { coerce: part !== 'body' })),
)

/** All that reads what strangers send, in this process. */
export const TARGETS: readonly Target[] = [
  ...[engine, payloads, decoders, claims, tokens, cursors, origins, queries, frames, fields],
  ...COMMAND_NAMES.map((name) => validatorOf(name, COMMANDS[name].input)),
  ...COMMAND_NAMES.map((name) => validatorOf(`${name} from a URL`, COMMANDS[name].input, { coerce: true })),
  ...resources,
]
