import { nameChannel, openChannel } from '../db/channel.js'
import type { Database } from '../db/index.js'
import type { Carrier } from './link.js'

/** PostgreSQL takes payloads of less than 8,000 bytes. */
const MAX_BYTES = 7_900

/**
 * Packets as notifications, in transactions of their own: one on its way at a time, for each takes the database's one lock of them. There is one
 * channel a schema, for a notification wakes all who listen in the database, whatever they listen to.
 */
export function createPostgresCarrier(db: Pick<Database, 'connection' | 'schema'>): Carrier {
  const channel = nameChannel('bus', db.schema)
  return {
    kind: 'postgres',
    maxBytes: MAX_BYTES,
    async open({ onPacket, onClosed }) {
      const { notify, close } = await openChannel(db, channel, { onNotification: onPacket, onClosed })
      return { send: notify, close }
    },
  }
}
