import { listOf } from '../../plugins/config/lists.js'
import type { Config } from '../../plugins/config/settings.js'
import { type Finding, findings } from './finding.js'

const { fine, wrong } = findings('keys')
const PATIENCE_MS = 5_000

/** The key sets that verify tokens, where a URL names them. */
export async function lookAtKeys({ JWT_JWKS_URL }: Config): Promise<Finding[]> {
  return await Promise.all(listOf(JWT_JWKS_URL).map(lookAtSet))
}

async function lookAtSet(url: string): Promise<Finding> {
  const { host } = new URL(url)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (!response.ok) return wrong(`${host} answers ${response.status} in place of a key set: correct JWT_JWKS_URL.`)
    const { keys }: { keys?: unknown } = Object(await response.json())
    if (Array.isArray(keys) && keys.length > 0) return fine(`${keys.length} at ${host}`)
    return wrong(`What ${host} answers is no key set, or an empty one: correct JWT_JWKS_URL.`)
  } catch (error) {
    const what = error instanceof SyntaxError ? `What ${host} answers is no key set` : `No key set answers at ${host}`
    return wrong(`${what}: correct JWT_JWKS_URL, or let the firewall pass it.`)
  }
}
