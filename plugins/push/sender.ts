import type { Device } from '../../services/devices/index.js'
import type { PushMessage } from './message.js'

/** What became of a push: taken; of a device that is gone; not now; or never, for it or the settings are wrong. */
export type Outcome = 'sent' | 'gone' | 'busy' | 'refused'

/** Sends pushes to devices of one kind. Laws: it answers within `PUSH_TIMEOUT_MS`, and never throws what another try would not mend. */
export interface Sender {
  /** Whom it is sent to, as far as one that is down says nothing of another. */
  originOf(device: Device): string
  send(device: Device, message: PushMessage): Promise<Outcome>
  stop(): void
}

export const PUSH_TIMEOUT_MS = 10_000

/** What a status of HTTP says. */
export function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'sent'
  if (status === 404 || status === 410) return 'gone'
  return status === 429 || status >= 500 ? 'busy' : 'refused'
}
