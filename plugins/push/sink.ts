import { setTimeout as sleep } from 'node:timers/promises'
import type { UnreadNotice } from '../../contract/notices.js'
import type { DeviceKind } from '../../contract/words.js'
import type { Device, Devices } from '../../services/devices/index.js'
import type { Logger } from '../../services/logger.js'
import type { Metrics } from '../../services/metrics.js'
import type { NoticeSink } from '../../services/notices/index.js'
import { type PushMessage, toMessage } from './message.js'
import { createPatience } from './patience.js'
import type { Outcome, Sender } from './sender.js'

export interface PushOptions {
  senders: Partial<Record<DeviceKind, Sender>>
  devices: Pick<Devices, 'find' | 'forget'>
  /** Whether a push holds who wrote what. */
  hasContent: boolean
  logger: Pick<Logger, 'warn' | 'debug'>
  metrics?: Pick<Metrics, 'pushes'>
  /** How long to wait before each further try. */
  waitsMs?: number[]
}

const WAITS_MS = [500, 3_000]
/** So long a notice waits for its pushes; what takes longer goes on by itself. */
const HELD_MS = 5_000

/** Takes notices, and tells the devices of their users. A push that fails for good is dropped: the notice is there whenever the app looks. */
export function createPushSink(options: PushOptions): NoticeSink {
  const { senders, devices, hasContent, logger, metrics, waitsMs = WAITS_MS } = options
  const patience = createPatience()

  async function push(device: Device, message: PushMessage): Promise<void> {
    const sender = senders[device.kind]
    if (!sender) return
    const outcome = await attempts(sender, device, message)
    metrics?.pushes.inc({ kind: device.kind, outcome })
    if (outcome === 'gone') await devices.forget(device)
  }

  async function attempts(sender: Sender, device: Device, message: PushMessage): Promise<Outcome> {
    const origin = sender.originOf(device)
    for (let tries = 0; ; tries += 1) {
      if (patience.isResting(origin) || !(await patience.take())) return 'busy'
      const outcome = await attempt(sender, device, message).finally(patience.give)
      patience.note(origin, outcome !== 'busy')
      const waitMs = waitsMs[tries]
      if (outcome !== 'busy' || waitMs === undefined) return outcome
      await sleep(waitMs, undefined, { ref: false })
    }
  }

  async function attempt(sender: Sender, device: Device, message: PushMessage): Promise<Outcome> {
    try {
      const outcome = await sender.send(device, message)
      if (outcome === 'refused') logger.warn({ kind: device.kind }, '⚠️ a push was refused: see the settings of push')
      return outcome
    } catch (error) {
      // What failed may name the device; its reason does not.
      logger.debug({ kind: device.kind, reason: error instanceof Error ? error.name : 'unknown' }, 'a push failed')
      return 'busy'
    }
  }

  return {
    name: 'push',
    async deliver(notice: UnreadNotice): Promise<void> {
      const found = await devices.find(notice.userId)
      if (found.length === 0) return
      const message = toMessage(notice, hasContent)
      const all = Promise.all(found.map((device) => push(device, message))).catch((error) =>
        logger.warn({ err: error }, 'a device that is gone could not be forgotten yet'),
      )
      await Promise.race([all, sleep(HELD_MS, undefined, { ref: false })])
    },
  }
}
