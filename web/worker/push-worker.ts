export {}

declare const self: ServiceWorkerGlobalScope

/** What the service pushes: docs/push.md. */
interface Push {
  title: string
  body: string
  /** One a chat: a later notification takes the place of an earlier one. */
  tag: string
  chatId: string
}

function readPush(data: PushMessageData | null): Partial<Push> {
  try {
    return { ...(data?.json() as object) }
  } catch {
    return {}
  }
}

/** Shows a push. A browser takes the permission away from pages that are pushed to and show nothing, so something is shown of any. */
function show({ title = 'New messages', body = '', tag = '', chatId }: Partial<Push>): Promise<void> {
  return self.registration.showNotification(title, { body, tag, data: { chatId } })
}

/** Goes to a tab of the page that is there, else opens one; either is told which chat. */
async function open(chatId: unknown): Promise<void> {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const tab = tabs.find(({ url }) => url.startsWith(self.registration.scope))
  if (tab) {
    if (typeof chatId === 'string') tab.postMessage({ type: 'open-chat', chatId })
    await tab.focus()
    return
  }
  // The worker has the query of the page that registered it: its language, and where the service is.
  const page = new URL(self.registration.scope)
  page.search = self.location.search
  if (typeof chatId === 'string') page.searchParams.set('chat', chatId)
  await self.clients.openWindow(page)
}

self.addEventListener('install', () => void self.skipWaiting())
self.addEventListener('push', (event) => event.waitUntil(show(readPush(event.data))))
self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data?.chatId))
})
