import type { CaseResult, Check, Table } from './bench.js'

const format = (value: string | number) =>
  typeof value === 'string'
    ? value
    : Number.isNaN(value)
      ? '–'
      : Number.isInteger(value)
        ? value.toLocaleString('en')
        : value.toFixed(2)

function toMarkdown({ title, note, head, rows }: Table): string {
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows.map((row) => row.map(format))]
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `### ${title}\n${note ? `\n${note}\n` : ''}\n${table}\n`
}

function checksTable(checks: Check[]): Table {
  return {
    title: 'What must hold',
    head: ['law', 'measured', 'holds'],
    rows: checks.map(({ law, measured, holds }) => [law, measured, holds ? 'yes' : '**no**']),
  }
}

/** The page of a run. */
export function report(about: string[], results: CaseResult[], more: Table[]): string {
  const tables = [...results.flatMap((result) => result.tables), ...more].filter((table) => table.rows.length > 0)
  const checks = results.flatMap((result) => result.checks)
  const parts = [...about, '', ...tables.map(toMarkdown)]
  if (checks.length > 0) parts.push(toMarkdown(checksTable(checks)))
  return parts.join('\n')
}
