import type { Carrier, Link, LinkListener } from '../../services/bus/link.js'
import type { Owner } from './scheduler.js'
import type { World } from './world.js'

/** One connection of a node to what carries packets. */
interface Wire {
  owner: Owner
  listener: LinkListener
  isOpen: boolean
  /** What it says is heard, and it hears nothing. */
  isDeaf: boolean
  /** When the last packet gets there and comes from there: as a rule they keep their order. */
  thereAt: number
  backAt: number
  unsent: Set<(error: Error) => void>
}

const SWAP_MS = 300

/** What carries packets between the nodes, and loses, repeats, swaps and delays them. */
export function createPost(world: World) {
  const { scheduler, faults } = world
  const { random } = scheduler
  const wires = new Set<Wire>()
  let isAway = false

  function close(wire: Wire, error: Error): void {
    wire.isOpen = false
    wires.delete(wire)
    for (const reject of wire.unsent) reject(error)
    wire.unsent.clear()
  }

  /** A node's connection is lost, and it notices. */
  function lose(wire: Wire): void {
    wires.delete(wire)
    scheduler.after(wire.owner, random.delay(faults.busMs), 'link lost', () => {
      if (!wire.isOpen) return
      const error = new Error('the connection of the bus was lost')
      close(wire, error)
      wire.listener.onClosed(error)
    })
  }

  function bring(wire: Wire, packet: string): void {
    if (random.chance(faults.busLoses)) return
    const isSwapped = random.chance(faults.busSwaps)
    const at = scheduler.now() + random.delay(isSwapped ? SWAP_MS : faults.busMs)
    const backAt = isSwapped ? at : Math.max(wire.backAt, at)
    if (!isSwapped) wire.backAt = backAt
    scheduler.after(wire.owner, backAt - scheduler.now(), 'packet', () => {
      if (wire.isOpen) wire.listener.onPacket(packet)
    })
  }

  function spread(packet: string): void {
    for (const wire of wires) {
      if (wire.isDeaf) continue
      bring(wire, packet)
      if (random.chance(faults.busRepeats)) bring(wire, packet)
    }
  }

  function send(wire: Wire, packet: string): Promise<void> {
    return new Promise((resolve, reject) => {
      world.reachOut(wire.owner)
      if (wire.owner.isDead) return
      if (!wire.isOpen) {
        reject(new Error('the connection of the bus is closed'))
        return
      }
      wire.unsent.add(reject)
      wire.thereAt = Math.max(wire.thereAt, scheduler.now() + random.delay(faults.busMs))
      scheduler.after(null, wire.thereAt - scheduler.now(), 'packet sent', () => {
        if (!wires.has(wire)) return
        spread(packet)
        scheduler.after(wire.owner, random.delay(faults.busMs), 'packet taken', () => {
          if (wire.unsent.delete(reject)) resolve()
        })
      })
    })
  }

  const carrierOf = (owner: Owner): Carrier => ({
    kind: 'redis',
    maxBytes: faults.busBytes,
    open: (listener) =>
      new Promise<Link>((resolve, reject) => {
        scheduler.after(owner, random.delay(2 * faults.busMs), 'link opens', () => {
          if (isAway) {
            reject(new Error('connect ECONNREFUSED'))
            return
          }
          const wire: Wire = { owner, listener, isOpen: true, isDeaf: false, thereAt: 0, backAt: 0, unsent: new Set() }
          wires.add(wire)
          resolve({
            send: (packet) => send(wire, packet),
            close: () => close(wire, new Error('the connection of the bus was let go')),
          })
        })
      }),
  })

  return {
    carrierOf,

    /** Cuts one connection, or has it be silent: one way, so that it hears nothing, or both ways. */
    cut(isSilent: boolean): void {
      const all = [...wires]
      if (all.length === 0) return
      const wire = random.pick(all)
      if (isSilent && random.chance(0.5)) wire.isDeaf = true
      else if (isSilent) wires.delete(wire)
      else lose(wire)
    },

    /** A node is dead, and its connections with it. */
    forget(owner: Owner): void {
      for (const wire of [...wires]) {
        if (wire.owner !== owner) continue
        wire.isOpen = false
        wires.delete(wire)
      }
    },

    away(): void {
      isAway = true
      for (const wire of [...wires]) lose(wire)
    },

    back(): void {
      isAway = false
    },
  }
}
