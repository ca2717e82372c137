import type { Settings } from './settings.js'

const VAPID = ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY', 'VAPID_SUBJECT'] as const
const APNS = ['APNS_KEY_FILE', 'APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'] as const

/** What is wrong with the settings of push: of Web Push and of APNs, all are needed or none. */
export function findWrongPush(settings: Settings): string[] {
  return [VAPID, APNS].flatMap((names) => {
    const missing = names.filter((name) => !settings[name])
    if (missing.length === 0 || missing.length === names.length) return []
    return [`${missing.join(' and ')} must be set with ${names.filter((name) => settings[name]).join(' and ')}`]
  })
}
