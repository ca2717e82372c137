/** A part of what somebody wrote. */
export type TextPiece =
  | { kind: 'text'; text: string }
  | { kind: 'mention'; text: string }
  | { kind: 'link'; text: string; href: string }

// Signs that turn text around, or are not seen, end a link: it could look like another.
const LINK = String.raw`https?:\/\/[^\s<>"\p{Cc}\p{Cf}]+`

/** A text in pieces: links of http and https, and the names that it mentions, each after an `@`. */
export function piecesOf(text: string, mentioned: readonly string[]): TextPiece[] {
  const names = [...mentioned]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  const mention = names.length > 0 ? String.raw`|@(?:${names.join('|')})(?![\p{L}\p{N}_])` : ''
  const pattern = new RegExp(`${LINK}${mention}`, 'giu')
  const pieces: TextPiece[] = []
  let from = 0
  const add = (piece: TextPiece): void => {
    if (piece.text !== '') pieces.push(piece)
  }
  for (const { 0: found, index } of text.matchAll(pattern)) {
    const piece = found.startsWith('@') ? { kind: 'mention' as const, text: found } : toLink(found)
    if (!piece) continue
    add({ kind: 'text', text: text.slice(from, index) })
    add(piece)
    from = index + piece.text.length
  }
  add({ kind: 'text', text: text.slice(from) })
  return pieces
}

/** A link without the sentence's own signs at its end; null where it is none, or hides whose it is behind a user's name. */
function toLink(found: string): TextPiece | null {
  let text = found.replace(/[.,:;!?'*_~]+$/u, '')
  while (/[)\]]$/.test(text) && !isBalanced(text)) text = text.slice(0, -1).replace(/[.,:;!?]+$/u, '')
  if (!URL.canParse(text)) return null
  const { protocol, username, password, href } = new URL(text)
  const isSafe = (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
  return isSafe ? { kind: 'link', text, href } : null
}

function isBalanced(text: string): boolean {
  const count = (sign: string): number => text.split(sign).length - 1
  return count('(') >= count(')') && count('[') >= count(']')
}
