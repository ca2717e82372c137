/** How many letters one must put in, take out, change or swap with their neighbour to make one word of another. */
export function distance(from: string, to: string): number {
  let before: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1]
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = row
  }
  return above[to.length] ?? 0
}

/** Of some names the one that a word was most likely meant to be; undefined when none is within so many slips. */
export function nearest(word: string, names: Iterable<string>, mostSlips = slipsOf(word)): string | undefined {
  let best: string | undefined
  let slips = mostSlips + 1
  for (const name of names) {
    if (Math.abs(name.length - word.length) >= slips) continue
    const found = distance(word, name)
    if (found < slips) [best, slips] = [name, found]
  }
  return best
}

/** A short word has fewer. */
const slipsOf = (word: string): number => Math.max(1, Math.floor(word.length / 3))
