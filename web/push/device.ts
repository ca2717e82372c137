import type { ChatClient } from '../../client/src/index.js'
import { keptDevice } from './kept.js'

/** Whether this browser can be pushed to at all: only on a secure page, and in no private window of some browsers. */
export const canPush: boolean =
  'serviceWorker' in navigator && 'PushManager' in globalThis && typeof Notification !== 'undefined'

/** That the browser got no subscription: its push service is not to be reached, or is turned off. */
export class NoPushService extends Error {}

/** The worker beside the page, with the query that it opens the page with. */
function workerUrl(): URL {
  const url = new URL('push-worker.js', document.baseURI)
  url.search = location.search
  url.searchParams.delete('chat')
  return url
}

async function subscribe(publicKey: string): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.register(workerUrl()).then(() => navigator.serviceWorker.ready)
  const applicationServerKey = toBytes(publicKey)
  const old = await pushManager.getSubscription()
  if (old) {
    if (isSame(old.options.applicationServerKey, applicationServerKey)) return old
    // The service has another key now, and could not push to this one.
    await old.unsubscribe()
  }
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })
}

function toBytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function isSame(key: ArrayBuffer | null, bytes: Uint8Array): boolean {
  const own = key && new Uint8Array(key)
  return own?.length === bytes.length && own.every((byte, i) => byte === bytes[i])
}

/** Makes this browser the device of who is signed in; again, it is the same device. */
export async function register(client: ChatClient, publicKey: string): Promise<void> {
  const userId = client.me.get()?.userId
  if (userId === undefined) return
  let subscription: PushSubscription
  try {
    subscription = await subscribe(publicKey)
  } catch (error) {
    throw new NoPushService('the browser gives no subscription', { cause: error })
  }
  const { endpoint, expirationTime = null, keys } = subscription.toJSON()
  const { p256dh, auth } = keys ?? {}
  if (!endpoint || !p256dh || !auth) throw new NoPushService('the subscription is not whole')
  const { deviceId } = await client.command('register_device', {
    kind: 'web',
    subscription: { endpoint, expirationTime, keys: { p256dh, auth } },
  })
  keptDevice.set({ userId, deviceId })
}

/**
 * Ends it, where this browser is the device of who is signed in. One of both ends is enough: of a device without a subscription the push
 * service says that it is gone, and then the service forgets it.
 */
export async function unregister(client: ChatClient): Promise<void> {
  const device = keptDevice.get()
  if (!device || device.userId !== client.me.get()?.userId) return
  const [forgotten, ended] = await Promise.allSettled([
    client.command('unregister_device', { deviceId: device.deviceId }),
    unsubscribe(),
  ])
  if (forgotten.status === 'rejected' && ended.status === 'rejected') throw forgotten.reason
  keptDevice.set(null)
}

async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(document.baseURI)
  const subscription = await registration?.pushManager.getSubscription()
  if (subscription && !(await subscription.unsubscribe())) throw new Error('the subscription stays')
}
