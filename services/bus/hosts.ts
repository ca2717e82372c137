import { randomBytes } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Id } from '../../contract/fields.js'
import { nameChannel, openChannel } from '../db/channel.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { guard } from '../validator.js'
import { createConnection } from './connection.js'
import { createGaps } from './gaps.js'
import type { Bus } from './index.js'
import type { Link } from './link.js'
import type { RelayingBus } from './memory.js'

export interface HostOptions {
  bus: RelayingBus
  db: Pick<Database, 'connection' | 'schema'>
  logger: Logger
  metrics?: Pick<Metrics, 'busGaps'>
  /** How often it is asked whether the connection is alive. */
  beatMs?: number
}

const BEAT_MS = 5_000
const MAX_BYTES = 7_900

/** What `chat_send_message` notifies: a chat, and the revision that the message has there. */
const Sent = Type.Tuple([Id, Type.Integer({ minimum: 1 })])
const isSent = guard(Sent)

/**
 * A bus that also tells what hosts write in transactions of their own, as if another node had told it. PostgreSQL notifies at the commit whoever listens, which each
 * node does on a connection of its own, whatever carries its bus. A connection that lives loses nothing; one that was lost, or hears not even itself, is a gap.
 */
export function hearHosts({ bus, db, logger, metrics, beatMs = BEAT_MS }: HostOptions): Bus {
  const channel = nameChannel('hosts', db.schema)
  // A host's news begin with a bracket.
  const beat = `beat ${randomBytes(9).toString('base64url')}`
  const gaps = createGaps(logger)
  let link: Link | undefined
  let isUp = false
  let isBeatHeard = true

  function gap(): void {
    metrics?.busGaps.inc({ reason: 'host' })
    gaps.tell()
  }

  const connection = createConnection({
    what: 'the connection by which hosts are heard',
    carrier: {
      kind: 'postgres',
      maxBytes: MAX_BYTES,
      async open({ onPacket, onClosed }) {
        const { notify, close } = await openChannel(db, channel, { onNotification: onPacket, onClosed })
        return { send: notify, close }
      },
    },
    logger,
    onPacket: hear,
    onOpen(opened) {
      link = opened
      sendBeat(opened)
    },
    onClosed() {
      link = undefined
      isUp = false
    },
  })

  function hear(text: string): void {
    if (text === beat) hearOwn()
    else if (!text.startsWith('beat ')) tell(text)
  }

  function hearOwn(): void {
    isBeatHeard = true
    if (isUp) return
    isUp = true
    connection.succeed()
    // From here on all is heard; what was before may have been missed.
    gap()
  }

  function tell(text: string): void {
    const sent = readSent(text)
    if (!sent) {
      gap()
      return
    }
    const [chatId, revision] = sent
    bus.relay('changes', [{ chatId, range: { after: revision - 1, through: revision } }])
  }

  function sendBeat(through: Link): void {
    isBeatHeard = false
    through.send(beat).catch((error: unknown) => {
      if (through === link) connection.drop(error)
    })
  }

  const timer = setInterval(() => {
    if (!isUp) gap()
    if (!link) return
    if (isBeatHeard) sendBeat(link)
    else
      connection.drop(
        new Error('What PostgreSQL notifies is not heard: LISTEN needs a connection of its own, not a pooler’s.'),
      )
  }, beatMs).unref()

  return {
    ...bus,

    onGap(listener) {
      const ends = [bus.onGap(listener), gaps.listen(listener)]
      return () => {
        for (const end of ends) end()
      }
    },

    async stop() {
      clearInterval(timer)
      gaps.stop()
      await Promise.all([connection.stop(), bus.stop()])
    },
  }
}

function readSent(text: string): Static<typeof Sent> | null {
  try {
    const sent: unknown = JSON.parse(text)
    return isSent(sent) ? sent : null
  } catch {
    return null
  }
}
