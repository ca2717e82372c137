import type { Config } from '../config/settings.js'

/** The key that browsers subscribe with; null where nobody is told of anything by Web Push. */
export function pushKeyOf({ VAPID_PUBLIC_KEY, NOTIFY_AFTER_MS }: Config): string | null {
  return NOTIFY_AFTER_MS === 0 ? null : (VAPID_PUBLIC_KEY ?? null)
}
