import { V7Generator } from 'uuidv7'

const WORD_BYTES = 4
// Drawn for many ids at a time: a draw costs more than all the rest of an id.
const random = Buffer.alloc(1_024 * WORD_BYTES)
let used = random.length

const generator = new V7Generator({
  nextUint32() {
    if (used === random.length) {
      crypto.getRandomValues(random)
      used = 0
    }
    used += WORD_BYTES
    return random.readUInt32LE(used - WORD_BYTES)
  },
})

/** A new message's id: a UUIDv7, later ones greater. */
export const createId = (): string => generator.generate().toString()
