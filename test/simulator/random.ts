/** Numbers that a seed decides, one after the other. */
export interface Random {
  /** From 0 up to 1, without 1. */
  next(): number
  /** A whole number below a bound. */
  below(bound: number): number
  chance(probability: number): boolean
  pick<T>(values: readonly T[]): T
  /** How long something takes: near `ms` as a rule, and now and then many times that. */
  delay(ms: number): number
}

const TAIL = 0.02
const TAIL_TIMES = 30

/** The numbers of a seed (sfc32: small, quick, and good enough to choose by). */
export function createRandom(seed: number): Random {
  let a = seed | 0
  let b = (seed / 2 ** 32) | 0
  let c = 0x9e3779b9
  let counter = 1

  function next(): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  for (let i = 0; i < 12; i += 1) next()
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    chance: (probability) => next() < probability,
    pick: <T>(values: readonly T[]) => values[Math.floor(next() * values.length)] as T,
    delay: (ms) => ms * (next() < TAIL ? next() * TAIL_TIMES : 0.3 + next()),
  }
}
