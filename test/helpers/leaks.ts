import type { Owner } from './postgres.js'

/** A signed token: three parts of base64url, of which two begin a JSON object. */
const TOKEN = /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/
/** What only the insides of a connection or a statement say. */
const INSIDE = /"(secretKey|parsedStatements|_activeQuery|password|authorization)":/
const KEPT_BYTES = 8_000_000
const MAX_TEXTS = 300
/** A shorter text is a word that a log may well say. */
const MIN_TEXT = 8
/** Fields of a payload that users write for each other. */
const WRITTEN = new Set(['content', 'query', 'metadata', 'secret'])

const texts = new Set<string>()

/** Remembers what users write: no log of this process may hold it. */
export function noteTexts(payload: unknown, isWritten = false): void {
  if (texts.size >= MAX_TEXTS) return
  if (typeof payload === 'string') {
    if (isWritten && payload.length >= MIN_TEXT) texts.add(payload)
  } else if (typeof payload === 'object' && payload !== null && !ArrayBuffer.isView(payload)) {
    for (const [key, value] of Object.entries(payload)) noteTexts(value, isWritten || WRITTEN.has(key))
  }
}

/** Hears a log to its end, and then fails its test if there was a token in it, a secret, the inside of a connection, or what users wrote. */
export function watchForLeaks(t: Owner, secrets: string[]): (chunk: string) => void {
  const chunks: string[] = []
  let bytes = 0
  t.teardown(() => {
    const found = findLeaks(chunks.join(''), [...secrets, ...texts])
    if (found.length > 0) throw new Error(`the log holds what it must not: ${found.join(', ')}`)
  })
  return (chunk) => {
    if (bytes > KEPT_BYTES) return
    bytes += chunk.length
    chunks.push(chunk)
  }
}

function findLeaks(log: string, hidden: string[]): string[] {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const found = hidden.filter((text) => log.includes(text) || log.includes(inJson(text)))
  return [...[TOKEN, INSIDE].flatMap((pattern) => pattern.exec(log)?.[0] ?? []), ...found]
}
