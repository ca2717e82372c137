import { decodePacket, decodePayload, type Packet as EnginePacket } from 'engine.io-parser'
import { Decoder, type Packet, PacketType } from 'socket.io-parser'
import { MAX_PAYLOAD_BYTES } from '../../contract/limits.js'
import type { Frame } from './frames.js'

/** What frames mean to a server: which acks they ask for, and whether a connection surely lives on. */
export interface Meaning {
  acks: string[]
  isClean: boolean
  /** Whether the client leaves by it: what it sends right behind may be passed over. */
  isFarewell: boolean
}

/** Reads what one connection sends with the parsers that the server has. */
export function createOracle(isPolling: boolean) {
  const decoder = new Decoder()
  let acks: string[] = []
  let isClean = true
  let isFarewell = false
  decoder.on('decoded', ({ type, nsp, id }: Packet) => {
    if (type === PacketType.DISCONNECT) isFarewell = true
    if (nsp !== '/' || (type !== PacketType.EVENT && type !== PacketType.ACK)) isClean = false
    else if (type === PacketType.EVENT && id !== undefined) acks.push(String(id))
  })

  function take(packet: EnginePacket): void {
    if (packet.type === 'message') decoder.add(packet.data)
    else isClean = false
  }

  return {
    read(frames: Frame[]): Meaning {
      acks = []
      isClean = true
      isFarewell = false
      try {
        for (const frame of frames) {
          if (Buffer.byteLength(frame) > MAX_PAYLOAD_BYTES) isClean = false
          if (isPolling && typeof frame === 'string')
            for (const packet of decodePayload(frame, 'nodebuffer')) take(packet)
          else take(decodePacket(frame, 'nodebuffer'))
        }
      } catch {
        isClean = false
      }
      // A packet whose binary data is still to come is ended by whatever else comes.
      return { acks, isClean: isClean && !Reflect.get(decoder, 'reconstructor'), isFarewell }
    },
  }
}
