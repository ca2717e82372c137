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
    if (typeof value !== 'object' || value === null || Array.isArray(value) || hasTwins(text, value)) return null
    return Object.fromEntries(Object.entries(value))
  } catch {
    return null
  }
}

/** Whether an object names a member of its own twice, of which the parsed one has the last; those of what lies in it are not looked at. */
const hasTwins = (json: string, parsed: object): boolean => countMembers(json) !== Object.keys(parsed).length

/** How many members an object in valid JSON names, as often as they stand there. */
function countMembers(json: string): number {
  let members = 0
  let depth = 0
  let isText = false
  for (let i = 0; i < json.length; i++) {
    const char = json[i]
    if (isText && char === '\\') i += 1
    else if (char === '"') isText = !isText
    else if (isText) continue
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') depth -= 1
    else if (char === ':' && depth === 1) members += 1
  }
  return members
}
