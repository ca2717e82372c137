import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { OLDER } from '../test/helpers/commits.js'
import { before } from './cases/before.js'
import { bus } from './cases/bus.js'
import { changes } from './cases/changes.js'
import { connections } from './cases/connections.js'
import { fanout } from './cases/fanout.js'
import { growth } from './cases/growth.js'
import { latency } from './cases/latency.js'
import { nodes } from './cases/nodes.js'
import { profile } from './cases/profile.js'
import { rooms } from './cases/rooms.js'
import { sends } from './cases/sends.js'
import { state } from './cases/state.js'
import { writer } from './cases/writer.js'
import type { Bench, CaseResult } from './lib/bench.js'
import { capacity } from './lib/capacity.js'
import type { Costs } from './lib/costs.js'
import { startGenerator } from './lib/generator.js'
import { createOwner } from './lib/owner.js'
import { startCluster } from './lib/postgres.js'
import { report } from './lib/report.js'
import { draw } from './lib/svg.js'

type Case = (bench: Bench) => Promise<CaseResult>
const CASES: Record<string, Case> = { fanout, sends, rooms, latency, connections, state, growth }
/** Only when asked for. */
const EXTRAS: Record<string, Case> = { before, bus, changes, nodes, profile, writer }
const QUICK = ['fanout', 'sends']
const DEADLINE_MS = 14.5 * 60_000
const LATE_MS = 13.5 * 60_000

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    commit: { type: 'string', default: OLDER.noBus },
    repetitions: { type: 'string' },
    out: { type: 'string', default: join(import.meta.dirname, '../../docs/benchmarks') },
  },
})

const owner = createOwner()
const startedAt = Date.now()
const date = new Date().toISOString().slice(0, 10)
const seconds = () => Math.round((Date.now() - startedAt) / 1_000)

function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${seconds()} s  ${text}` : `${seconds()} s  ${text}\n`)
}

async function finish(code: number): Promise<never> {
  await owner.end()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    progress(`ended by ${signal}\n`)
    void finish(130)
  })
}

async function main(): Promise<void> {
  const names = values.only?.split(',') ?? (values.quick ? QUICK : Object.keys(CASES))
  const cases = { ...CASES, ...EXTRAS }
  const unknown = names.find((name) => !cases[name])
  if (unknown !== undefined) throw new Error(`no case ${unknown}; there are ${Object.keys(cases).join(', ')}`)
  progress('starting PostgreSQL')
  const bench: Bench = {
    owner,
    cluster: await startCluster(owner),
    generator: startGenerator(owner),
    quick: values.quick,
    repetitions: Number(values.repetitions ?? (values.quick ? 2 : 5)),
    commit: values.commit,
    isLate: () => Date.now() - startedAt > LATE_MS,
    progress,
  }
  const results: Record<string, CaseResult> = {}
  for (const name of names) {
    if (Date.now() - startedAt > DEADLINE_MS) progress(`no time left for ${name}`)
    else results[name] = await (cases[name] as Case)(bench)
    write(bench, results)
  }
  process.stdout.write(`\n${page(bench, results)}`)
}

/** What else was going on: other work on the cores stretches every time, and rates more than costs. */
function conditions(): string {
  const waiting = /avg300=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? '?'
  return `load average ${loadavg()[1]?.toFixed(1)}, something waited for a core ${waiting} % of the time`
}

function page(bench: Bench, results: Record<string, CaseResult>): string {
  const [cpu] = cpus()
  const flags = [
    ...(values.quick ? ['--quick'] : []),
    ...(values.only ? ['--only', values.only] : []),
    ...(values.only?.includes('before') ? ['--commit', values.commit] : []),
    ...(values.repetitions ? ['--repetitions', values.repetitions] : []),
  ]
  const about = [
    `# Benchmarks, ${date}`,
    '',
    `\`npm run bench${flags.length > 0 ? ` -- ${flags.join(' ')}` : ''}\`: medians of ${bench.repetitions} repetitions, the peers in turn, in ${seconds()} s;`,
    `${conditions()};`,
    `on ${cpus().length} shared cores (${cpu?.model.trim()}), Node ${process.version}. Only ratios within one run mean anything; see [bench/README.md](../../bench/README.md).`,
    ...(results.fanout?.chart ? ['', '![Fan-out to a room of 500](fanout.svg)'] : []),
  ]
  const costs: Partial<Costs> = Object.assign({}, ...Object.values(results).map((result) => result.costs ?? {}))
  return report(about, Object.values(results), capacity(costs))
}

/** Keeps what there is after each case. */
function write(bench: Bench, results: Record<string, CaseResult>): void {
  mkdirSync(values.out, { recursive: true })
  writeFileSync(join(values.out, `${date}.md`), page(bench, results))
  for (const [name, { chart }] of Object.entries(results)) {
    if (chart) writeFileSync(join(values.out, `${name}.svg`), draw(chart))
  }
  const raw = Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]))
  writeFileSync(join(values.out, `${date}.json`), `${JSON.stringify(raw)}\n`)
}

await main().then(
  () => finish(0),
  (error) => {
    console.error(error)
    return finish(1)
  },
)
