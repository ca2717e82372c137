import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../services/package-root.js'
import { type ClusterResult, round } from './run.js'

const PAGE = join(packageRoot(), 'docs/faults/README.md')
const COUNTED = [
  'deliveries',
  'acked',
  'retries',
  'nodeKills',
  'postgresKills',
  'redisKills',
  'pauses',
  'partitions',
] as const

/** The commit that is checked out: of a run, when it begins. */
export const commitOf = (): string =>
  execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: packageRoot(), encoding: 'utf8' }).trim()

/** Puts a run into docs/faults as one row, and sums up all rows in the last line of the table. */
export function record(result: ClusterResult, command: string, commit: string): void {
  const lines = readFileSync(PAGE, 'utf8').split('\n')
  const at = lines.findIndex((line) => line.startsWith('| **all** |'))
  if (at < 0) throw new Error(`${PAGE} has no line for the sum`)
  const { counts, verdict, figures, faults } = result
  const anomalies = Object.values(verdict.counts).reduce((sum, count) => sum + count, 0)
  const told = figures
    .filter(({ bound }) => bound !== null)
    .map(({ scenario, name, value, bound, above }) => {
      const where = result.names.length > 1 ? `${scenario}: ` : ''
      return `${where}${name} ${round(value)}${above > 0 ? ` (**above ${round(bound ?? 0)}** ${above} times)` : ''}`
    })
  const row = [
    `${new Date().toISOString().slice(0, 10)}, ${commit}`,
    `\`${command}\``,
    ...COUNTED.map((name) => counts[name]),
    anomalies,
    [...told, ...faults.map((fault) => `❌ ${fault}`)].join('; '),
  ]
  lines.splice(at, 0, `| ${row.join(' | ')} |`)
  lines[at + 1] = `| **all** | | ${sums(lines.slice(0, at + 1)).join(' | ')} | |`
  writeFileSync(PAGE, lines.join('\n'))
}

/** The sums of the columns that are counted, anomalies among them. */
function sums(lines: string[]): number[] {
  const rows = lines.filter((line) => /^\| \d{4}-/.test(line)).map((line) => line.split(' | '))
  return [...COUNTED, 'anomalies'].map((_, i) => rows.reduce((sum, row) => sum + Number(row[i + 2]), 0))
}
