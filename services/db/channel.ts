import { createHash } from 'node:crypto'
import { Socket } from 'node:net'
import pg from 'pg'
import type { Database } from './index.js'

/** A connection of its own that notifies a channel, and hears what is notified there. */
export interface Channel {
  /** Settles when the notification is committed. */
  notify(payload: string): Promise<void>
  /** Lets go at once; what is under way fails. */
  close(): void
}

export interface ChannelListener {
  onNotification(payload: string): void
  /** Hears, once, that the connection is gone. */
  onClosed(error: Error): void
}

/** The name of a schema's channel, which SQL and every version of this service know it by. */
export function nameChannel(what: string, schema: string): string {
  return `chat_${what}_${createHash('sha256').update(schema).digest('hex').slice(0, 20)}`
}

/** Opens a channel, beside the pool; its name is put into SQL as it is. */
export async function openChannel(
  { connection }: Pick<Database, 'connection'>,
  name: string,
  { onNotification, onClosed }: ChannelListener,
): Promise<Channel> {
  const socket = new Socket()
  // A server that does not answer would let a connection end only after it has said goodbye.
  const client = new pg.Client({ ...connection, application_name: 'chat-socket-service bus', stream: () => socket })
  let isClosed = false
  const close = (error: Error): void => {
    if (isClosed) return
    isClosed = true
    socket.destroy()
    onClosed(error)
  }
  client.on('error', close)
  client.on('end', () => close(new Error('The connection of the bus has ended.')))
  client.on('notification', ({ channel, payload }) => {
    if (channel === name) onNotification(payload ?? '')
  })
  try {
    await client.connect()
    await client.query(`LISTEN ${name}`)
  } catch (error) {
    isClosed = true
    socket.destroy()
    throw error
  }
  return {
    async notify(payload) {
      await client.query({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [name, payload] })
    },
    close: () => close(new Error('The connection of the bus was let go.')),
  }
}
