// npm run conformance -- [--only NAME] [--runs N] [--seed N] [--jobs N] [--patience MS] [--list] <command that starts a client>
import { parseArgs } from 'node:util'
import { randomScenario } from './random.js'
import { type Result, run } from './run.js'
import { SCENARIOS } from './scenarios/index.js'
import { startService } from './service.js'

const { values, positionals } = parseArgs({
  // The client's own options are not ours.
  args: ownArgs(process.argv.slice(2)),
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: '3' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '4' },
    patience: { type: 'string', default: '30000' },
    list: { type: 'boolean' },
  },
})

/** Everything up to the client's command, behind which `--` keeps the rest as it is. */
function ownArgs(args: string[]): string[] {
  const at = args.findIndex((arg, i) => !arg.startsWith('--') && !takesValue(args[i - 1]))
  return at === -1 ? args : [...args.slice(0, at), '--', ...args.slice(at)]
}

function takesValue(option = ''): boolean {
  return ['--only', '--runs', '--seed', '--jobs', '--patience'].includes(option)
}

const toLine = ({ scenario: { name, law }, fault }: Result): string =>
  fault === null ? `✓ ${name}: ${law}` : `✗ ${name}: ${law}\n    but ${fault}`

async function main(): Promise<number> {
  const isWanted = ({ name }: { name: string }) => !values.only || values.only.includes(name)
  const first = Number(values.seed ?? Math.floor(Math.random() * 1e6))
  const seeds = Array.from({ length: values.only ? 0 : Number(values.runs) }, (_, i) => randomScenario(first + i))
  const fixed = values.seed === undefined ? SCENARIOS.filter(isWanted) : []
  if (values.list) {
    for (const { name, law } of SCENARIOS) console.log(`${name}: ${law}`)
    return 0
  }
  if (positionals.length === 0) {
    console.error('Say how a client is started: npm run conformance -- node conformance/clients/plain.mjs')
    return 2
  }
  const service = await startService()
  const results = await run({
    service,
    command: positionals,
    scenarios: [...fixed, ...seeds],
    jobs: Number(values.jobs),
    patienceMs: Number(values.patience),
    onResult: (result) => console.log(toLine(result)),
  })
  await service.close()
  const kept = results.filter(({ fault }) => fault === null).length
  console.log(`${kept} of ${results.length} laws kept`)
  return kept === results.length ? 0 : 1
}

process.exit(await main())
