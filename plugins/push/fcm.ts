import { importPKCS8, SignJWT } from 'jose'
import { createPost } from './post.js'
import { outcomeOf, type Sender } from './sender.js'

/** What a service account's file of Google holds. */
export interface ServiceAccount {
  project_id: string
  client_email: string
  private_key: string
  token_uri: string
}

const FCM_URL = 'https://fcm.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** A token is asked for anew so long before its end. */
const EARLY_MS = 60_000
const TTL_SECONDS = 86_400

/** Firebase Cloud Messaging, HTTP v1, by a service account. */
export function createFcm(account: ServiceAccount, url = FCM_URL): Sender {
  const { post, stop } = createPost({ isGuarded: false })
  const target = new URL(`/v1/projects/${encodeURIComponent(account.project_id)}/messages:send`, url)
  let token: { value: Promise<string>; until: number } | undefined

  async function askToken(): Promise<string> {
    const key = await importPKCS8(account.private_key, 'RS256')
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(account.client_email)
      .setAudience(account.token_uri)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(key)
    const form = new URLSearchParams({ grant_type: GRANT, assertion }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { status, text } = await post(new URL(account.token_uri), headers, form)
    if (status !== 200) throw new Error(`Google gave no token: ${status}`)
    const { access_token, expires_in } = JSON.parse(text) as { access_token: string; expires_in: number }
    if (token) token.until = performance.now() + expires_in * 1_000 - EARLY_MS
    return access_token
  }

  function tokenNow(): Promise<string> {
    if (token && token.until > performance.now()) return token.value
    const fresh = { value: Promise.resolve(''), until: Number.POSITIVE_INFINITY }
    token = fresh
    fresh.value = askToken()
    // One that failed is asked for again by the next.
    fresh.value.catch(() => {
      if (token === fresh) token = undefined
    })
    return fresh.value
  }

  return {
    originOf: () => target.origin,
    async send(device, { title, body, badge, data, collapseKey }) {
      const texts = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)]))
      const message = {
        token: device.token,
        notification: { title, body },
        data: texts,
        android: {
          collapse_key: collapseKey,
          priority: 'HIGH',
          ttl: `${TTL_SECONDS}s`,
          notification: { tag: collapseKey, notification_count: badge },
        },
        apns: { headers: { 'apns-collapse-id': collapseKey }, payload: { aps: { badge, 'thread-id': collapseKey } } },
      }
      const headers = { authorization: `Bearer ${await tokenNow()}`, 'content-type': 'application/json; charset=UTF-8' }
      const { status, text } = await post(target, headers, JSON.stringify({ message }))
      if (status === 401) {
        token = undefined
        return 'busy'
      }
      return text.includes('"UNREGISTERED"') ? 'gone' : outcomeOf(status === 404 ? 400 : status)
    },
    stop,
  }
}
