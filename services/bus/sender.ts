import type { Logger } from '../logger.js'
import { createConnection } from './connection.js'
import type { Carrier, Link } from './link.js'
import type { createOutbox, Outgoing } from './outbox.js'
import { prefixOf } from './wire.js'

export interface SenderOptions {
  node: string
  carrier: Carrier
  outbox: Pick<ReturnType<typeof createOutbox>, 'take' | 'beat' | 'leave' | 'lose'>
  logger: Logger
  /** Hears the packets of others. */
  onPacket(packet: string): void
  /** The link works, for the first time or again. */
  onUp(): void
}

/** Ticks that a packet may take there and back. */
const ECHO_TICKS = 3
const MAX_TRIES = 2
const LAST_WAIT_MS = 500

/**
 * Sends what waits, one packet at a time, the next with all that came meanwhile. A link is good while the node hears its own packets on it: nothing else
 * that it says is believed, and before the first is heard only signs of life are sent.
 */
export function createSender({ node, carrier, outbox, logger, onPacket, onUp }: SenderOptions) {
  const prefix = prefixOf(node)
  let link: Link | undefined
  let isUp = false
  let isFlushing = false
  /** Whether a packet is still to be taken. */
  let isSending = false
  let isBeatDue = false
  let unsent: Outgoing | undefined
  /** On this link: packets sent, those that were heard again, and for how many ticks none was. */
  let sent = 0
  let echoed = 0
  let silentTicks = 0
  let hasSent = false

  const connection = createConnection({
    carrier,
    logger,
    onPacket(text) {
      if (text.startsWith(prefix)) hearOwn()
      else onPacket(text)
    },
    onOpen(opened) {
      link = opened
      sent = 0
      echoed = 0
      silentTicks = 0
      beat()
    },
    onClosed() {
      link = undefined
      isUp = false
    },
  })

  function hearOwn(): void {
    // What comes twice does not make up for what does not come.
    echoed = Math.min(echoed + 1, sent)
    silentTicks = 0
    if (isUp) return
    isUp = true
    connection.succeed()
    onUp()
    flush()
  }

  function beat(): void {
    isBeatDue = true
    flush()
  }

  /** Sends soon: with all that is told in this turn of the loop. */
  function flush(): void {
    if (isFlushing || !link) return
    isFlushing = true
    setImmediate(() => void run())
  }

  async function run(): Promise<void> {
    for (let out = next(); out && link; out = next()) {
      const through = link
      sent += 1
      hasSent = true
      isSending = true
      try {
        await through.send(out.text())
        if (out === unsent) unsent = undefined
      } catch (error) {
        if (out === unsent) countTry(out)
        if (through === link) drop(error)
      }
      isSending = false
    }
    isFlushing = false
  }

  function next(): Outgoing | undefined {
    if (!link) return undefined
    if (isUp) {
      unsent ??= outbox.take()
      if (unsent) return unsent
    }
    if (!isBeatDue) return undefined
    isBeatDue = false
    return outbox.beat(sent === 0)
  }

  /** A packet that fails twice will not go, whatever is in it. */
  function countTry(out: Outgoing): void {
    out.tries += 1
    if (out.tries < MAX_TRIES) return
    unsent = undefined
    outbox.lose()
  }

  function drop(error: unknown): void {
    link = undefined
    isUp = false
    connection.drop(error)
  }

  async function sendLast(): Promise<void> {
    while (isFlushing) await new Promise((resolve) => setTimeout(resolve, 5).unref())
    if (isUp) await link?.send(outbox.leave().text())
  }

  return {
    isUp: () => isUp,
    flush,
    /** Says soon where this node stands. */
    beat,

    /** Some time has passed in which packets could be heard. */
    tick(): void {
      if (!link) return
      silentTicks = sent > echoed || isSending ? silentTicks + 1 : 0
      if (silentTicks >= ECHO_TICKS) drop(new Error('What is sent on the bus is not heard.'))
      else if (!hasSent) beat()
      hasSent = false
    },

    /** Sends what waits and takes leave, not for long. */
    async stop(): Promise<void> {
      const patience = new Promise((resolve) => setTimeout(resolve, LAST_WAIT_MS).unref())
      await Promise.race([sendLast().catch(() => {}), patience])
      await connection.stop()
    },
  }
}
