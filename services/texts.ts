// Another map for each turn: what one that grows old has held would outlive its turn, too, until the next major collection.
let texts: Map<unknown, string> | undefined

function forget(): void {
  texts = undefined
}

/**
 * The JSON of a message, which is made once for its chat, for who sent it and for other nodes: they are told in one turn of the loop. Law: what is made is
 * forgotten when all promises are settled that settle now.
 */
export function textOf(message: object): string {
  const known = texts?.get(message)
  if (known !== undefined) return known
  const text = JSON.stringify(message)
  if (!texts) {
    texts = new Map()
    process.nextTick(forget)
  }
  texts.set(message, text)
  return text
}

/** The JSON of some value, where it is at hand. */
export const knownText = (value: unknown): string | undefined => texts?.get(value)
