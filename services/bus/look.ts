import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { causes, Refusal } from '../refusals/refusal.js'

const PATIENCE_MS = 3_000

/** Asks the Redis or Valkey of a URL for its name and version; where it cannot be reached, a refusal that says what to do. */
export async function lookAtRedis(url: string): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: PATIENCE_MS } })
  client.on('error', () => {})
  const giveUp = new AbortController()
  const late = sleep(PATIENCE_MS, undefined, { signal: giveUp.signal }).then(() => {
    throw Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })
  })
  late.catch(() => {})
  try {
    return await Promise.race([ask(), late])
  } catch (error) {
    throw refusalOf(error, url)
  } finally {
    giveUp.abort()
    client.destroy()
  }

  async function ask(): Promise<string> {
    await client.connect()
    const info = await client.info('server')
    const [, valkey] = /^valkey_version:(.+)$/m.exec(info) ?? []
    const [, redis] = /^redis_version:(.+)$/m.exec(info) ?? []
    return valkey ? `Valkey ${valkey.trim()}` : `Redis ${redis?.trim() ?? 'of no version'}`
  }
}

function refusalOf(error: unknown, url: string): unknown {
  const { host } = new URL(url)
  for (const { code = '', message } of causes(error)) {
    const sentence = sentenceOf(code, message, host)
    if (sentence !== undefined) return new Refusal(sentence, { code: 'REDIS_UNUSABLE', cause: error })
  }
  const stranger = `What listens at ${host} does not answer as Redis does: correct host and port in REDIS_URL.`
  return new Refusal(stranger, { code: 'REDIS_UNUSABLE', cause: error })
}

function sentenceOf(code: string, message: string, host: string): string | undefined {
  if (/^(WRONGPASS|ERR invalid password)/.test(message))
    return `Redis at ${host} does not take the user and password of REDIS_URL: correct them.`
  if (/^NOAUTH/.test(message)) return `Redis at ${host} asks for a password, and REDIS_URL has none: put it there.`
  if (/^NOPERM/.test(message)) return `Redis at ${host} does not give the user of REDIS_URL the rights: grant them.`
  if (code === 'ECONNREFUSED') return `No Redis listens at ${host}: start it, or correct host and port in REDIS_URL.`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `The host of ${host} is a name that nobody knows: correct REDIS_URL.`
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH')
    return `Nothing answers at ${host}: correct host and port in REDIS_URL, or let the firewall pass it.`
  return undefined
}
