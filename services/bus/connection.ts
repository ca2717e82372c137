import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import type { Carrier, Link } from './link.js'

export interface ConnectionOptions {
  /** What a log calls it. */
  what?: string
  carrier: Carrier
  logger: Pick<Logger, 'info' | 'warn'>
  /** Hears packets. */
  onPacket(packet: string): void
  /** A link is there, and is still to show that what is sent on it is heard. */
  onOpen(link: Link): void
  /** It is not there any more. */
  onClosed(): void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

/** Keeps a link open: after each that is lost, or could not be had, another, soon at first and then each two seconds or so. */
export function createConnection(options: ConnectionOptions) {
  const { what = 'the bus', carrier, logger, onPacket, onOpen, onClosed } = options
  const stopping = new AbortController()
  let link: Link | undefined
  let giveUp: ((reason: unknown) => void) | undefined
  let failures = 0
  let isDown = false

  async function use(): Promise<unknown> {
    let isClosed = false
    const closed = new Promise<unknown>((resolve) => {
      giveUp = resolve
    })
    const opened = await carrier.open({
      onPacket: (packet) => void (isClosed || onPacket(packet)),
      onClosed: (error) => giveUp?.(error),
    })
    link = opened
    if (stopping.signal.aborted) giveUp?.(undefined)
    else onOpen(opened)
    const reason = await closed
    isClosed = true
    link = undefined
    opened.close()
    onClosed()
    return reason
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const reason = await use().catch((error: unknown) => error)
      if (stopping.signal.aborted) return
      if (!isDown)
        logger.warn(
          { err: reason, bus: carrier.kind },
          `${what} is cut off; it is tried again, and the database is read meanwhile`,
        )
      isDown = true
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures)
      failures += 1
      await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const running = run()

  return {
    /** The link works: what is sent on it is heard. */
    succeed(): void {
      failures = 0
      if (isDown) logger.info({ bus: carrier.kind }, `✅ ${what} is back`)
      isDown = false
    },

    /** Lets a link go that is of no use. */
    drop: (reason: unknown): void => giveUp?.(reason),

    async stop(): Promise<void> {
      stopping.abort()
      giveUp?.(undefined)
      link?.close()
      await Promise.race([running, sleep(500, undefined, { ref: false })])
    },
  }
}
