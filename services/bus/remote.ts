import { randomBytes } from 'node:crypto'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { createGaps } from './gaps.js'
import type { Carrier } from './link.js'
import { createMemoryBus, type RelayingBus } from './memory.js'
import type { News, Topic } from './news.js'
import { createOutbox } from './outbox.js'
import { createPeers } from './peers.js'
import { createSender } from './sender.js'
import { readPacket } from './wire.js'

export interface RemoteBusOptions {
  carrier: Carrier
  logger: Logger
  metrics?: Pick<Metrics, 'busFaults' | 'busGaps'>
  /** How often this node is heard at least, and looks whether it is. */
  tickMs?: number
}

const TICK_MS = 1_000
/** Ticks between two gaps that are told while something is cut off. */
const GAP_TICKS = 5

/**
 * A bus of many nodes: the own node hears at once, the others by packets. What is missing in the numbers of another node is a gap, and so is what may be
 * missing: where this node was cut off, or another is not heard. While there is no other node, nothing is sent but a sign of life.
 */
export function createRemoteBus({ carrier, logger, metrics, tickMs = TICK_MS }: RemoteBusOptions): RelayingBus {
  const node = randomBytes(9).toString('base64url')
  const memory = createMemoryBus(logger)
  const gaps = createGaps(logger)
  const peers = createPeers()
  const outbox = createOutbox({ node, maxBytes: carrier.maxBytes })
  const sender = createSender({ node, carrier, outbox, logger, onPacket: hear, onUp: () => gap('connected') })
  let ticks = 0

  function gap(reason: string): void {
    metrics?.busGaps.inc({ reason })
    gaps.tell()
  }

  function refuse(fault: string): void {
    metrics?.busFaults.inc({ fault })
    gap('fault')
  }

  function hear(text: string): void {
    const packet = Buffer.byteLength(text) > carrier.maxBytes ? null : readPacket(text)
    if (!packet) {
      refuse('packet')
      return
    }
    const { place, isNew } = peers.hear(packet)
    if (packet.isRisen) outbox.repeatEnds()
    // Who has just come knows of us, and of what it has missed, by what it hears.
    if (isNew || packet.isRisen) sender.beat()
    if (place === 'repeat') return
    for (const { topic, news } of packet.told) memory.relay(topic, news as News[typeof topic])
    if (packet.faults > 0) refuse('line')
    if (place === 'hole') gap('hole')
  }

  const timer = setInterval(() => {
    ticks += 1
    const isCutOff = !sender.isUp() || peers.tick()
    if (isCutOff && ticks % GAP_TICKS === 0) gap('cut_off')
    sender.tick()
  }, tickMs).unref()

  function send<T extends Topic>(topic: T, news: News[T]): void {
    try {
      // Whoever comes later asks the database; the end of somebody's sockets may not stand there.
      if (peers.count() > 0 || topic === 'ends') outbox.add(topic, news, sender.isUp())
      else outbox.lose()
      sender.flush()
    } catch (error) {
      outbox.lose()
      logger.error({ err: error, topic }, '❌ news could not be sent')
    }
  }

  return {
    publish(topic, news) {
      send(topic, news)
      memory.publish(topic, news)
    },

    relay: memory.relay,
    subscribe: memory.subscribe,
    onGap: gaps.listen,
    health: () => ({ kind: carrier.kind, ok: sender.isUp() }),

    async stop() {
      clearInterval(timer)
      gaps.stop()
      await sender.stop()
    },
  }
}
