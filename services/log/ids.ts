import { V7Generator } from 'uuidv7'

// Drawn for many ids at a time: a draw costs more than all the rest of an id.
const random = new Uint32Array(1_024)
let used = random.length

const generator = new V7Generator({
  nextUint32() {
    if (used === random.length) {
      crypto.getRandomValues(random)
      used = 0
    }
    used += 1
    return random[used - 1] as number
  },
})

/** A new message's id: a UUIDv7, later ones greater. */
export const createId = (): string => generator.generate().toString()
