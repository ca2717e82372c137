import webPush from 'web-push'
import { createPost } from './post.js'
import { outcomeOf, type Sender } from './sender.js'

export interface WebPushOptions {
  /** The pair of keys by which push services know us, and who answers for it. */
  vapid: { subject: string; publicKey: string; privateKey: string }
  /** Whether endpoints must be at public addresses. */
  isGuarded: boolean
}

/** How long a push service keeps a message for a browser that is off. */
const TTL_SECONDS = 86_400

/** Web Push (RFC 8030), encrypted for the browser alone (RFC 8291) and signed by VAPID (RFC 8292). */
export function createWebPush({ vapid, isGuarded }: WebPushOptions): Sender {
  const { post, stop } = createPost({ isGuarded })
  return {
    originOf: ({ token }) => new URL(token).origin,
    async send({ token, keys }, { title, body, badge, data, collapseKey }) {
      if (!keys) return 'gone'
      const payload = JSON.stringify({ title, body, badge, ...data, tag: collapseKey })
      const details = webPush.generateRequestDetails({ endpoint: token, keys }, payload, {
        vapidDetails: vapid,
        TTL: TTL_SECONDS,
        urgency: 'high',
        topic: collapseKey,
        contentEncoding: 'aes128gcm',
      })
      const headers = Object.fromEntries(Object.entries(details.headers).map(([name, value]) => [name, String(value)]))
      const { status } = await post(new URL(token), headers, details.body ?? Buffer.alloc(0))
      return outcomeOf(status)
    },
    stop,
  }
}
