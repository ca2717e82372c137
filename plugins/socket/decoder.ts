import { Decoder, type Packet, PacketType } from 'socket.io-parser'

export { Encoder } from 'socket.io-parser'

/** What an event may hold: its name, and what is sent with it. */
const MAX_PARTS = 32

/**
 * Socket.IO's decoder, for which an event of very many arguments is malformed, as any other packet that it cannot read: each becomes an
 * argument of a function, and more than the stack holds end the process.
 */
class BoundedDecoder extends Decoder {
  constructor() {
    super()
    // Before Socket.IO's own listener, which does not hear of what this one refuses.
    this.on('decoded', requireFewParts)
  }
}

function requireFewParts({ type, data }: Packet): void {
  const isLong = Array.isArray(data) && data.length > MAX_PARTS
  if (isLong && (type === PacketType.EVENT || type === PacketType.ACK)) throw new Error('too many arguments')
}

export { BoundedDecoder as Decoder }
