import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Owner } from './postgres.js'

/**
 * What a way does to what goes over it. `clear`: nothing. `down`: whoever connects, and whoever is connected, is cut off. `hole`: nothing comes through in
 * either direction and nobody is told; when it is clear again, what was under way arrives, as TCP would have it.
 */
export type Toxic = 'clear' | 'down' | 'hole'

/** A way to a port of the loopback that can be broken, under a port of its own. */
export interface Way {
  port: number
  /** The same URL by this way. */
  url(of: string): string
  set(toxic: Toxic): void
  /** Delays each piece in each direction; 0: no longer. */
  delay(ms: number): void
  /** Lets the connecting side read so many bytes a second; 0: as many as it likes. */
  throttle(bytesPerSecond: number): void
  /** Ends all that is connected by a TCP reset. */
  reset(): void
}

interface Pair {
  near: Socket
  far: Socket | undefined
}

/** Opens a way to a port; it ends with its owner. */
export async function openWay(owner: Owner, to: number): Promise<Way> {
  const pairs = new Set<Pair>()
  let toxic: Toxic = 'clear'
  let delayMs = 0
  let rate = 0

  const socketsOf = ({ near, far }: Pair) => (far ? [near, far] : [near])

  function end(pair: Pair, withReset = false): void {
    pairs.delete(pair)
    for (const socket of socketsOf(pair)) withReset ? socket.resetAndDestroy() : socket.destroy()
  }

  /** Carries what comes from one side to the other. */
  function carry(pair: Pair, from: Socket, to: Socket): void {
    from.on('error', () => {})
    from.on('close', () => {
      // In a hole the other side does not learn of it.
      if (toxic === 'hole') return
      pairs.delete(pair)
      to.destroySoon()
    })
    from.on('data', (data) => {
      if (delayMs > 0) setTimeout(() => to.write(data), delayMs)
      else if (!to.write(data)) {
        from.pause()
        to.once('drain', () => toxic !== 'hole' && from.resume())
      }
      if (rate === 0 || from !== pair.far) return
      from.pause()
      setTimeout(() => toxic !== 'hole' && from.resume(), (data.length / rate) * 1_000)
    })
  }

  function lead(pair: Pair): void {
    const far = connect(to, '127.0.0.1')
    pair.far = far
    far.setNoDelay()
    carry(pair, pair.near, far)
    carry(pair, far, pair.near)
  }

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
    const pair: Pair = { near, far: undefined }
    pairs.add(pair)
    near.on('error', () => {})
    if (toxic === 'down') end(pair, true)
    // In a hole somebody knocks whom nobody hears, until it is clear.
    else if (toxic === 'clear') lead(pair)
    near.on('close', () => pair.far || pairs.delete(pair))
    if (toxic === 'clear') near.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    for (const pair of pairs) end(pair)
  })
  const { port } = server.address() as AddressInfo

  return {
    port,
    url(of) {
      const url = new URL(of)
      url.port = String(port)
      return url.href
    },
    set(next) {
      toxic = next
      for (const pair of pairs) {
        if (toxic === 'down' || socketsOf(pair).some(({ destroyed }) => destroyed)) {
          if (toxic !== 'hole') end(pair, true)
        } else if (toxic === 'hole') for (const socket of socketsOf(pair)) socket.pause()
        else {
          if (!pair.far) lead(pair)
          for (const socket of socketsOf(pair)) socket.resume()
        }
      }
    },
    delay(ms) {
      delayMs = ms
    },
    throttle(bytesPerSecond) {
      rate = bytesPerSecond
    },
    reset() {
      for (const pair of pairs) end(pair, true)
    },
  }
}
