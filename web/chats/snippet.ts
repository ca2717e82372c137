/** A piece of a text, and whether it is one of the words that were searched for. */
export interface Piece {
  text: string
  isHit: boolean
}

const BEFORE = 24

/** A text from shortly before the first word that was searched for, with those words marked. */
export function around(text: string, query: string): Piece[] {
  const words = query.split(/\s+/).filter(Boolean).map(toPattern)
  if (words.length === 0) return [{ text, isHit: false }]
  const pattern = new RegExp(`(${words.join('|')})`, 'giu')
  const first = text.search(pattern)
  const shown = first > BEFORE ? `…${text.slice(first - BEFORE)}` : text
  return shown
    .split(pattern)
    .map((piece, i) => ({ text: piece, isHit: i % 2 === 1 }))
    .filter((piece) => piece.text !== '')
}

const toPattern = (word: string): string => word.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
