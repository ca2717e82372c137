import type { Claim, Span } from './claim.js'
import type { Heads } from './heads.js'

/** How a receiver stands with a chat. */
export interface Standing {
  chatId: string
  /** The highest revision that it has; 0 of a chat that it never heard of. */
  has: number
  /** Null of a chat that is gone, of which nobody can have missed anything. */
  head: number | null
  lag: number
  /** Revisions between those that it has. */
  holes: Span[]
  /** Whether it has revisions that the chat does not: it is of another server, or of a database that was put back. */
  isAhead: boolean
}

/** Sets a claim beside the heads; holes are looked for where all revisions were claimed, from the first one on. */
export function compare(claim: Claim, heads: Heads, isWhole: boolean): Standing[] {
  const chatIds = new Set([...claim.keys(), ...heads.keys()])
  return [...chatIds].map((chatId) => {
    const spans = claim.get(chatId) ?? []
    const has = spans.at(-1)?.[1] ?? 0
    const head = heads.get(chatId) ?? null
    return {
      chatId,
      has,
      head,
      lag: head === null ? 0 : Math.max(0, head - has),
      holes: isWhole ? holesOf(spans) : [],
      isAhead: head !== null && has > head,
    }
  })
}

function holesOf(spans: Span[]): Span[] {
  return spans.slice(1).map(([from], i) => [(spans[i]?.[1] ?? 0) + 1, from - 1])
}

/** Whether something is missing, or more than may be behind. */
export const isWrong = ({ lag, holes, isAhead }: Standing, mostLag: number): boolean =>
  lag > mostLag || holes.length > 0 || isAhead

const MOST_LINES = 50
const MOST_HOLES = 5

/** What is wrong, as a table, and the sum in the last line. */
export function report(standings: Standing[], mostLag: number): string {
  const wrong = standings.filter((standing) => isWrong(standing, mostLag)).sort((a, b) => b.lag - a.lag)
  const rows = wrong
    .slice(0, MOST_LINES)
    .map((standing) => [
      standing.chatId,
      standing.has === 0 ? 'nothing' : String(standing.has),
      String(standing.head ?? 'gone'),
      String(standing.lag),
      notesOf(standing),
    ])
  const rest = wrong.length > MOST_LINES ? [`… and ${wrong.length - MOST_LINES} chats more: --json has them all`] : []
  const table = rows.length > 0 ? aligned([['chat', 'has', 'head', 'lag', 'missing'], ...rows]) : []
  return [...table, ...rest, sumOf(standings, wrong)].join('\n')
}

function sumOf(standings: Standing[], wrong: Standing[]): string {
  const lag = standings.reduce((sum, standing) => sum + standing.lag, 0)
  const gone = standings.filter(({ head }) => head === null).length
  const known = `${standings.length} chats${gone > 0 ? `, ${gone} of them gone` : ''}; ${lag} revisions behind in all`
  if (wrong.length === 0) return `✅ nothing is missing: ${known}`
  const holed = wrong.filter(({ holes }) => holes.length > 0).length
  const ahead = wrong.filter(({ isAhead }) => isAhead).length
  const kinds = [
    `${wrong.length} of ${known}`,
    ...(holed > 0 ? [`${holed} with holes`] : []),
    ...(ahead > 0 ? [`${ahead} ahead of the server`] : []),
  ]
  return `❌ ${kinds.join('; ')}`
}

function notesOf({ has, holes, isAhead }: Standing): string {
  if (isAhead) return 'more than the server has'
  if (holes.length === 0) return has === 0 ? 'never heard of' : '–'
  const listed = holes.slice(0, MOST_HOLES).map(([from, through]) => (from === through ? from : `${from}-${through}`))
  return listed.join(', ') + (holes.length > MOST_HOLES ? `, … (${holes.length} holes)` : '')
}

function aligned(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_cell, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
