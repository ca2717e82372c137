/** Ticks after which a node that says nothing may be cut off, and after which it is taken for gone. */
const SILENT_TICKS = 4
const GONE_TICKS = 60
/** More than any service has: what goes beyond is somebody's invention. */
const MAX_PEERS = 1_000

interface Peer {
  number: number
  silentTicks: number
}

/** What a packet is in its node's order: `next`, a `repeat`, or behind a `hole`, for something is missing. */
export type Place = 'next' | 'repeat' | 'hole'

export interface Numbered {
  node: string
  number: number
  isEmpty: boolean
  isLeaving: boolean
}

/** The other nodes, as they are heard. */
export function createPeers() {
  const peers = new Map<string, Peer>()

  /** The last number that came before a packet. */
  const before = ({ number, isEmpty }: Numbered) => (isEmpty ? number : number - 1)

  return {
    count: () => peers.size,

    /** Takes in a packet; a node that was not known has told nothing before, or what it told was missed. */
    hear(packet: Numbered): { place: Place; isNew: boolean } {
      const { node, number, isLeaving } = packet
      const peer = peers.get(node)
      const last = peer?.number ?? 0
      const place = before(packet) > last ? 'hole' : number > last || packet.isEmpty ? 'next' : 'repeat'
      if (isLeaving) peers.delete(node)
      else if (peer) {
        peer.number = Math.max(last, number)
        peer.silentTicks = 0
      } else if (peers.size < MAX_PEERS) peers.set(node, { number, silentTicks: 0 })
      return { place, isNew: !peer && !isLeaving }
    },

    /** Some time has passed in which nodes could be heard; answers whether one of them was not, for longer than it should be. */
    tick(): boolean {
      let isMissed = false
      for (const [node, peer] of peers) {
        peer.silentTicks += 1
        if (peer.silentTicks > GONE_TICKS) peers.delete(node)
        else if (peer.silentTicks > SILENT_TICKS) isMissed = true
      }
      return isMissed
    },
  }
}
