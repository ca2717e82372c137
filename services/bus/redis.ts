import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { Carrier, LinkListener } from './link.js'

export interface RedisCarrierOptions {
  /** As redis://user:password@host:6379, or rediss:// for TLS. */
  url: string
  /** Tells one service from every other on the same server. */
  namespace: string
}

const MAX_BYTES = 64 * 1_024
const OPEN_TIMEOUT_MS = 5_000

/**
 * Packets over Redis or Valkey, as sharded messages where the server knows them (from 7 on), on one connection, which hears what it sends. Nothing is
 * stored there.
 */
export function createRedisCarrier({ url, namespace }: RedisCarrierOptions): Carrier {
  const channel = `chat-socket-service:bus:${namespace}`

  async function open(listener: LinkListener) {
    // What is lost and tried again is the bus's to say: the client is for one connection.
    const client = createClient({
      url,
      name: 'chat-socket-service',
      disableOfflineQueue: true,
      socket: {
        reconnectStrategy: false,
        connectTimeout: OPEN_TIMEOUT_MS,
        keepAlive: true,
        keepAliveInitialDelay: 10_000,
      },
    })
    let isClosed = false
    const close = (error: unknown): void => {
      if (isClosed) return
      isClosed = true
      client.destroy()
      listener.onClosed(error)
    }
    client.on('error', close)
    client.on('end', () => close(new Error('The connection of the bus has ended.')))

    async function connect() {
      await client.connect()
      try {
        await client.sSubscribe(channel, listener.onPacket)
        return (packet: string) => client.sPublish(channel, packet)
      } catch (error) {
        if (!(error instanceof Error && /unknown command/i.test(error.message))) throw error
        await client.subscribe(channel, listener.onPacket)
        return (packet: string) => client.publish(channel, packet)
      }
    }

    const giveUp = new AbortController()
    const timeout = sleep(OPEN_TIMEOUT_MS, undefined, { ref: false, signal: giveUp.signal }).then(() => {
      throw new Error('Redis does not answer.')
    })
    try {
      const publish = await Promise.race([connect(), timeout])
      return {
        async send(packet: string) {
          await publish(packet)
        },
        close: () => close(new Error('The connection of the bus was let go.')),
      }
    } catch (error) {
      close(error)
      throw error
    } finally {
      timeout.catch(() => {})
      giveUp.abort()
    }
  }

  return { kind: 'redis', maxBytes: MAX_BYTES, open }
}
