/** A small random generator of its own seed, so that runs are alike. */
export function createRandom(seed: number) {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const SYLLABLES = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'ke', 'li', 'mo', 'nu', 'pa', 're', 'si', 'to', 'vu', 'za']

/** 4,096 words, the first ones used most, as in a language. */
function word(random: () => number): string {
  const rank = Math.floor(random() ** 2 * 4_096)
  return [rank >> 8, (rank >> 4) & 15, rank & 15].map((i) => SYLLABLES[i]).join('')
}

/** Some texts of words, each of so many bytes. */
export function createTexts(bytes: number, count = 500): string[] {
  const random = createRandom(7)
  return Array.from({ length: count }, () => {
    let text = word(random)
    while (text.length < bytes) text += ` ${word(random)}`
    return text.slice(0, bytes).trimEnd().padEnd(bytes, 'x')
  })
}
