import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser'

/** What a client gets in place of an event: nothing, the same, or others, in order. */
export type Fault = (name: string, payload: unknown) => [name: string, payload: unknown][] | undefined

/** Socket.IO's options of a client that does not get every event as it was sent: `undefined` lets one through. */
export function faulty(fault: Fault): { parser: { Encoder: typeof Encoder; Decoder: typeof Decoder } } {
  // The stock decoder tells its listeners past whoever extends it: so it is inside, and tells this one.
  class FaultyDecoder extends Decoder {
    readonly #stock = new Decoder()

    constructor() {
      super()
      this.#stock.on('decoded', (packet: Packet) => {
        const instead = packet.type === PacketType.EVENT ? fault(packet.data[0], packet.data[1]) : undefined
        for (const data of instead ?? [packet.data]) this.emitReserved('decoded', { ...packet, data })
      })
    }

    override add(data: unknown): void {
      this.#stock.add(data)
    }

    override destroy(): void {
      this.#stock.destroy()
    }
  }
  return { parser: { Encoder, Decoder: FaultyDecoder } }
}

/** Lets all events through, but what a test tells it to do once. */
export function createFaults() {
  const faults: { name: string; instead: (payload: unknown) => [name: string, payload: unknown][] }[] = []
  let done = 0
  return {
    ...faulty((name, payload) => {
      const index = faults.findIndex((fault) => fault.name === name)
      if (index === -1) return
      done += 1
      return faults.splice(index, 1)[0]?.instead(payload)
    }),
    /** How many there were so far. */
    done: (): number => done,
    /** From now on nothing is done to events. */
    stop: (): void => void faults.splice(0),
    /** The next event of a name is lost. */
    lose: (name: string): void => void faults.push({ name, instead: () => [] }),
    /** The next event of a name comes again and again. */
    repeat: (name: string): void =>
      void faults.push({ name, instead: (payload) => [0, 1, 2].map((): [string, unknown] => [name, payload]) }),
    /** The next event of a name is held back until another has come. */
    swap(name: string): void {
      let held: unknown
      faults.push({
        name,
        instead(payload) {
          held = payload
          return []
        },
      })
      faults.push({
        name,
        instead: (payload) => [
          [name, payload],
          [name, held],
        ],
      })
    },
  }
}
