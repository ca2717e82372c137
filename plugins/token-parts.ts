/** What a token says of itself before anything of it is verified: it chooses among the keys that the settings allow, and no more. */
export interface TokenParts {
  alg: string
  kid: string | undefined
  iss: unknown
}

const PART = /^[A-Za-z0-9_-]+$/
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The parts of a token; null where it is none, or says one thing twice. */
export function readParts(token: string): TokenParts | null {
  const [header, claims, signature, ...others] = token.split('.')
  if (others.length > 0 || !PART.test(signature ?? '')) return null
  const said = readObject(header)
  const payload = readObject(claims)
  if (!said || !payload) return null
  const { alg, kid } = said
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return null
  return { alg, kid, iss: payload.iss }
}

/** An object as base64url of JSON; of names that stand twice, libraries take the first, or the last. */
function readObject(part = ''): Record<string, unknown> | null {
  if (!PART.test(part)) return null
  try {
    const text = utf8.decode(Buffer.from(part, 'base64url'))
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value) || hasTwins(text)) return null
    return Object.fromEntries(Object.entries(value))
  } catch {
    return null
  }
}

const MARK = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/** Whether an object names a member of its own twice; those of what lies in it are not looked at. */
function hasTwins(json: string): boolean {
  const names = new Set<unknown>()
  let depth = 0
  let text = ''
  for (const [mark] of json.matchAll(MARK)) {
    if (mark === '{' || mark === '[') depth += 1
    else if (mark === '}' || mark === ']') depth -= 1
    else if (mark !== ':') text = mark
    else if (depth === 1) {
      const name: unknown = JSON.parse(text)
      if (names.has(name)) return true
      names.add(name)
    }
  }
  return false
}
