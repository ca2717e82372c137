import type { Settings } from './settings.js'

/** What is wrong with the settings of what we ask of other services. */
export function findWrongHooks({ BEFORE_SEND_URL, BEFORE_SEND_SECRET }: Settings): string[] {
  if (!BEFORE_SEND_URL) return []
  const faults: string[] = []
  if (!URL.canParse(BEFORE_SEND_URL))
    faults.push('BEFORE_SEND_URL must be a URL as https://api.example.com/chat/before-send')
  if (!BEFORE_SEND_SECRET)
    faults.push('BEFORE_SEND_SECRET must be set with BEFORE_SEND_URL, which checks our requests by it')
  return faults
}
