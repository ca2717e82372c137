import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { importPKCS8, SignJWT } from 'jose'
import { type Outcome, outcomeOf, PUSH_TIMEOUT_MS, type Sender } from './sender.js'

export interface ApnsOptions {
  /** PEM of the .p8 file, its id, and the team it is of. */
  key: string
  keyId: string
  teamId: string
  /** The app's bundle id. */
  topic: string
  url: string
}

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS } = constants
/** Apple takes a token for an hour, and no new one within twenty minutes. */
const TOKEN_MS = 50 * 60_000
const TTL_SECONDS = 86_400
/** Why a token will never do again. */
const GONE = /BadDeviceToken|DeviceTokenNotForTopic|Unregistered/
const OLD_TOKEN = /ExpiredProviderToken/

/** Apple's push service over HTTP/2, by a signed token; one connection, opened anew when it is gone. */
export function createApns({ key, keyId, teamId, topic, url }: ApnsOptions): Sender {
  let session: ClientHttp2Session | undefined
  let token: { value: Promise<string>; until: number } | undefined

  async function sign(): Promise<string> {
    const header = { alg: 'ES256', kid: keyId }
    return new SignJWT({})
      .setProtectedHeader(header)
      .setIssuer(teamId)
      .setIssuedAt()
      .sign(await importPKCS8(key, 'ES256'))
  }

  function tokenNow(): Promise<string> {
    if (!token || token.until <= performance.now()) token = { value: sign(), until: performance.now() + TOKEN_MS }
    return token.value
  }

  function open(): ClientHttp2Session {
    if (session && !session.closed && !session.destroyed) return session
    const fresh = connect(url)
    // A connection that fails fails its requests, too.
    fresh.on('error', () => {})
    fresh.on('goaway', () => fresh.close())
    fresh.unref()
    session = fresh
    return fresh
  }

  function post(
    path: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const stream = open().request({ [HTTP2_HEADER_METHOD]: 'POST', [HTTP2_HEADER_PATH]: path, ...headers })
      let status = 0
      let text = ''
      stream.setEncoding('utf8')
      stream.setTimeout(PUSH_TIMEOUT_MS, () => {
        stream.close(constants.NGHTTP2_CANCEL)
        // Whatever the connection was, it answers no more.
        session?.destroy()
        reject(new Error('no answer in time'))
      })
      stream.on('response', (answer) => {
        status = Number(answer[HTTP2_HEADER_STATUS] ?? 0)
      })
      stream.on('data', (chunk: string) => {
        text += chunk
      })
      stream.on('error', reject)
      stream.on('close', () => (status > 0 ? resolve({ status, text }) : reject(new Error('no answer'))))
      stream.end(body)
    })
  }

  return {
    originOf: () => url,
    async send(device, { title, body, badge, data, collapseKey }): Promise<Outcome> {
      const headers = {
        authorization: `bearer ${await tokenNow()}`,
        'apns-topic': topic,
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-collapse-id': collapseKey,
        'apns-expiration': String(Math.floor(Date.now() / 1_000) + TTL_SECONDS),
      }
      const aps = { alert: { title, body }, badge, sound: 'default', 'thread-id': collapseKey }
      const path = `/3/device/${encodeURIComponent(device.token)}`
      const { status, text } = await post(path, headers, JSON.stringify({ aps, ...data }))
      if (OLD_TOKEN.test(text)) {
        token = undefined
        return 'busy'
      }
      return GONE.test(text) ? 'gone' : outcomeOf(status === 404 ? 400 : status)
    },
    stop: () => session?.destroy(),
  }
}
