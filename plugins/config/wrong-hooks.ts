import { listOf } from './lists.js'
import type { Settings } from './settings.js'

/** What is wrong with the settings of what we ask and tell other services. */
export function findWrongHooks(settings: Settings): string[] {
  return [...findWrongBeforeSend(settings), ...findWrongWebhook(settings)]
}

function findWrongBeforeSend({ BEFORE_SEND_URL, BEFORE_SEND_SECRET }: Settings): string[] {
  if (!BEFORE_SEND_URL) return []
  const faults: string[] = []
  if (!URL.canParse(BEFORE_SEND_URL))
    faults.push('BEFORE_SEND_URL must be a URL as https://api.example.com/chat/before-send')
  if (!BEFORE_SEND_SECRET)
    faults.push('BEFORE_SEND_SECRET must be set with BEFORE_SEND_URL, which checks our requests by it')
  return faults
}

function findWrongWebhook({ WEBHOOK_URL, WEBHOOK_SECRET, WEBHOOK_PRIVATE, NODE_ENV }: Settings): string[] {
  if (!WEBHOOK_URL) return []
  const faults: string[] = []
  if (!URL.canParse(WEBHOOK_URL)) faults.push('WEBHOOK_URL must be a URL as https://api.example.com/chat/changes')
  if (!WEBHOOK_SECRET) faults.push('WEBHOOK_SECRET must be set with WEBHOOK_URL, which checks our requests by it')
  if (listOf(WEBHOOK_SECRET).length > 2) faults.push('WEBHOOK_SECRET must hold one secret, or two while one is rotated')
  if (NODE_ENV === 'production' && !WEBHOOK_PRIVATE && !WEBHOOK_URL.startsWith('https:')) {
    faults.push('WEBHOOK_URL must be https in production, unless WEBHOOK_PRIVATE is true')
  }
  return faults
}
