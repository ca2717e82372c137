import { Refusal } from '../../cli/run.js'

const FONT_PX = 14
/** How wide a letter is at most, in the fonts that browsers take for system-ui. */
const LETTER_PX = 7.6
const LINE_PX = 20
const MARGIN_PX = 24
const TITLE_PX = 56
const WIDTH_PX = 960

const STYLE = `
.card { fill: #ffffff; stroke: #d9d9e3 }
.box { fill: #eeeefc; stroke: #8c8ce0 }
.note { fill: #f3f2ee; stroke: none }
.line { stroke: #6b6b80; fill: none }
.lane { stroke: #d0d0dc; stroke-dasharray: 2 4 }
.rule { stroke: #23845a; stroke-width: 2 }
.said { fill: #23845a; font-weight: 600 }
.head { font-weight: 600 }
.less { fill: #5d5d70 }
.tip { fill: #6b6b80 }
text { fill: #1d1d2b }
@media (prefers-color-scheme: dark) {
  .card { fill: #17171f; stroke: #34343f }
  .box { fill: #26264a; stroke: #7a7ad8 }
  .note { fill: #24242d }
  .line { stroke: #a0a0b4 }
  .lane { stroke: #3f3f4d }
  .rule { stroke: #57c495 }
  .said { fill: #57c495 }
  .less { fill: #a9a9ba }
  .tip { fill: #a0a0b4 }
  text { fill: #ececf4 }
}`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

interface Writing {
  at: [x: number, y: number]
  text: string
  className?: string
  anchor?: 'start' | 'middle' | 'end'
}

const write = ({ at: [x, y], text, className = '', anchor = 'middle' }: Writing) =>
  `<text x="${x}" y="${y}" class="${className}" text-anchor="${anchor}">${escaped(text)}</text>`
const rect = (className: string, x: number, y: number, width: number, height: number) =>
  `<rect class="${className}" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`
const line = (className: string, x1: number, y1: number, x2: number, y2: number, more = '') =>
  `<line class="${className}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"${more}/>`
const ARROW = ' marker-end="url(#tip)"'

/** Breaks a text into lines that are as wide as this at most. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && (last.length + 1 + word.length) * LETTER_PX <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Draws a description (docs/diagrams/README.md) as an SVG that reads well on light and dark pages. */
export function diagram(name: string, description: string): string {
  const [title = '', ...lines] = description.split('\n').filter((text) => text.trim() !== '')
  const kind = lines.shift() ?? ''
  const [parts, height] = kind.startsWith('lanes:') ? flow(name, kind, lines) : layers([kind, ...lines])
  const inner = [
    rect('card', 0.5, 0.5, WIDTH_PX - 1, height - 1),
    write({ at: [MARGIN_PX, 34], text: title, className: 'head', anchor: 'start' }),
    ...parts,
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" font-family="system-ui, sans-serif" font-size="${FONT_PX}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
${inner.join('\n')}
</svg>
`
}

/** Who says what to whom, from top to bottom. */
function flow(name: string, kind: string, lines: string[]): [parts: string[], height: number] {
  const lanes = kind
    .replace('lanes:', '')
    .split('|')
    .map((lane) => lane.trim())
  const step = (WIDTH_PX - 2 * MARGIN_PX) / lanes.length
  const middleOf = (lane: string): number => {
    const index = lanes.indexOf(lane.trim())
    if (index === -1) throw new Refusal(`docs/diagrams/${name}: “${lane}” is no lane`)
    return MARGIN_PX + step * (index + 0.5)
  }
  const parts: string[] = []
  let y = TITLE_PX + 62
  for (const text of lines) {
    const [, from = '', arrow = '', to = '', said = ''] = /^(.+?) (--?>) (.+?): (.+)$/.exec(text) ?? []
    const [, lane = '', note = ''] = /^([^:]+): (.+)$/.exec(text) ?? []
    if (text.startsWith('== ')) {
      parts.push(line('rule', MARGIN_PX, y, WIDTH_PX - MARGIN_PX, y))
      parts.push(write({ at: [WIDTH_PX / 2, y + 18], text: text.slice(3), className: 'said' }))
      y += 48
    } else if (arrow) {
      const [x1, x2] = [middleOf(from), middleOf(to)]
      const rows = wrapped(said, Math.max(Math.abs(x2 - x1), step) - 16)
      rows.forEach((row, i) => {
        parts.push(write({ at: [(x1 + x2) / 2, y + i * LINE_PX - 6], text: row }))
      })
      y += (rows.length - 1) * LINE_PX
      parts.push(line('line', x1, y + 2, x2, y + 2, `${arrow === '-->' ? ' stroke-dasharray="5 4"' : ''}${ARROW}`))
      y += 40
    } else {
      const rows = wrapped(note, step + 30)
      const height = rows.length * LINE_PX + 10
      const width = Math.max(...rows.map((row) => row.length)) * LETTER_PX + 16
      const x = Math.min(middleOf(lane), WIDTH_PX - MARGIN_PX / 2 - width / 2)
      parts.push(rect('note', x - width / 2, y - 18, width, height))
      rows.forEach((row, i) => {
        parts.push(write({ at: [x, y + i * LINE_PX], text: row, className: 'less' }))
      })
      y += height + 14
    }
  }
  const heads = lanes.flatMap((lane) => [
    line('lane', middleOf(lane), TITLE_PX + 34, middleOf(lane), y - 8),
    rect('box', middleOf(lane) - step / 2 + 6, TITLE_PX, step - 12, 34),
    write({ at: [middleOf(lane), TITLE_PX + 22], text: lane, className: 'head' }),
  ])
  return [[...heads, ...parts], y + 8]
}

/** What stands on what, from top to bottom: rows of boxes, and words between them. */
function layers(lines: string[]): [parts: string[], height: number] {
  const parts: string[] = []
  let y = TITLE_PX
  for (const text of lines) {
    if (text.startsWith('-> ')) {
      parts.push(line('line', WIDTH_PX / 2, y, WIDTH_PX / 2, y + 32, ARROW))
      parts.push(write({ at: [WIDTH_PX / 2 + 14, y + 21], text: text.slice(3), className: 'less', anchor: 'start' }))
      y += 42
      continue
    }
    const boxes = text.split('|').map((box) => box.split('=').map((part) => part.trim()))
    const width = (WIDTH_PX - 2 * MARGIN_PX - 14 * (boxes.length - 1)) / boxes.length
    const rows = boxes.map(([, note = '']) => wrapped(note, width - 20))
    const height = Math.max(...rows.map((notes) => notes.length)) * LINE_PX + 42
    boxes.forEach(([head = ''], i) => {
      const x = MARGIN_PX + i * (width + 14)
      parts.push(rect('box', x, y, width, height))
      parts.push(write({ at: [x + width / 2, y + 24], text: head, className: 'head' }))
      rows[i]?.forEach((row, n) => {
        parts.push(write({ at: [x + width / 2, y + 46 + n * LINE_PX], text: row, className: 'less' }))
      })
    })
    y += height + 12
  }
  return [parts, y + 12]
}
