import { createECDH, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Received } from './services.js'

/** The other half of what web-push encrypts with. */
const ece = createRequire(import.meta.url)('http_ece') as { decrypt(body: Buffer, options: object): Buffer }

/** A browser: its keys, and what it reads. */
export function createBrowser() {
  const ecdh = createECDH('prime256v1')
  const p256dh = ecdh.generateKeys('base64url')
  const auth = randomBytes(16).toString('base64url')
  return {
    keys: { p256dh, auth },
    read: ({ body }: Received) =>
      JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: ecdh, authSecret: auth }).toString()),
  }
}
