import { parseArgs } from 'node:util'
import { ANOMALIES, type Anomaly } from './checker.js'
import { FAULTS, named } from './cluster/faults.js'
import { commitOf, record } from './cluster/record.js'
import { type ClusterResult, round, runCluster } from './cluster/run.js'
import type { ClusterBus } from './cluster/world.js'

// npm run faults:cluster -- [--bus postgres|redis] [--scenario NAME,…|all] [--nodes 3] [--seed N] [--rounds N] [--clients N] [--rate N] [--quick] [--record] [--list]

const { values } = parseArgs({
  options: {
    bus: { type: 'string' },
    scenario: { type: 'string', default: 'all' },
    nodes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    rounds: { type: 'string' },
    clients: { type: 'string', default: '24' },
    rate: { type: 'string' },
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    // What cannot be undone must not keep the rest.
    await Promise.resolve()
      .then(step)
      .catch((error) => console.log(`❌ ${error}`))
  }
}
// Each process that is started ends with this one.
process.setMaxListeners(0)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)))

const isBus = (word: string): word is ClusterBus => word === 'postgres' || word === 'redis'
const buses = (values.bus ?? 'postgres,redis').split(',').filter(isBus)
const rate = Number(values.rate ?? (values.quick ? 40 : 100))

/** One run: in a quick one all scenarios of a bus share a world, otherwise each has its own. */
async function one(bus: ClusterBus, names: string[]): Promise<void> {
  const command = [
    `npm run faults:cluster -- --bus ${bus} --scenario ${names.join(',')} --nodes ${values.nodes} --seed ${values.seed}`,
    ...(values.rounds === undefined ? [] : [`--rounds ${values.rounds}`]),
    `--clients ${values.clients} --rate ${rate}`,
    ...(values.quick ? ['--quick'] : []),
  ].join(' ')
  const commit = values.record ? commitOf() : ''
  console.log(command)
  const result = await runCluster(
    { teardown: (step) => undo.push(step) },
    {
      bus,
      names,
      nodes: Number(values.nodes),
      seed: Number(values.seed),
      isQuick: values.quick,
      clients: Number(values.clients),
      rate,
      ...(values.rounds !== undefined && { rounds: Number(values.rounds) }),
    },
  ).finally(cleanUp)
  tell(result)
  if (values.record) record(result, command, commit)
}

function tell({ bus, counts, figures, verdict, faults, said }: ClusterResult): void {
  console.table(
    figures.map(({ scenario, name, value, bound, rounds, above }) => ({
      scenario,
      figure: name,
      worst: round(value),
      bound: bound === null ? '' : round(bound),
      above: above > 0 ? `${above} of ${rounds}` : '',
    })),
  )
  console.log(
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  )
  const found = Object.entries(verdict.counts).filter(([, count]) => count > 0)
  for (const [anomaly, count] of found) {
    const name = anomaly as Anomaly
    console.log(`❌ ${bus}: ${count} × ${anomaly} (${ANOMALIES[name]}): ${verdict.witnesses[name]}`)
  }
  for (const fault of faults) console.log(`❌ ${bus}: ${fault}`)
  if (found.length === 0 && faults.length === 0) {
    console.log(`✅ ${bus}: 0 anomalies in ${counts.deliveries} deliveries`)
    return
  }
  process.exitCode = 1
  console.log(said)
}

if (values.list)
  for (const [name, { about, on }] of Object.entries(FAULTS)) console.log(`${name} (${on.join(', ')}): ${about}`)
else {
  for (const bus of buses) {
    const names = named(values.scenario, bus, values.quick)
    for (const group of values.quick ? [names] : names.map((name) => [name]))
      if (group.length > 0) await one(bus, group)
  }
}
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
