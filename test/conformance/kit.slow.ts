import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { randomScenario } from '../../conformance/random.js'
import { run } from '../../conformance/run.js'
import type { Scenario } from '../../conformance/scenario.js'
import { SCENARIOS } from '../../conformance/scenarios/index.js'
import { startService } from '../../conformance/service.js'
import { packageRoot } from '../../services/package-root.js'
import { embeddedDir, tempDir } from '../helper.js'
import { FAULTS, plant } from './faults.js'

const JOBS = 6
const PATIENCE_MS = 30_000
/** A fault shows by what does not come: the less is waited for it, the shorter the run. */
const FAULTY_PATIENCE_MS = 6_000
const SEEDS = [1, 2, 3]

const root = packageRoot()
const adapter = join(root, 'conformance/clients/plain.mjs')
const service = await startService(await embeddedDir(t))
t.teardown(() => service.close())

const PASSERS = {
  'the plain client': ['node', adapter],
  'our client': ['node', join(root, 'dist/conformance/clients/ours.js')],
  // Debian's, which has python3-socketio; another Python may come first in the path.
  'the client on python-socketio': ['/usr/bin/python3', join(root, 'conformance/clients/client.py')],
}

for (const [name, command] of Object.entries(PASSERS)) {
  t.test(`${name} keeps every law`, async (t) => {
    const scenarios = [...SCENARIOS, ...SEEDS.map(randomScenario)]
    const results = await run({ service, command, scenarios, jobs: JOBS, patienceMs: PATIENCE_MS })
    for (const { scenario, fault } of results) t.equal(fault, null, `${scenario.name}: ${scenario.law}`)
  })
}

t.test('each planted fault is found by its scenario', async (t) => {
  const dir = tempDir(t)
  // The client finds its socket.io-client as the original does.
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const source = readFileSync(join(root, 'examples/plain-client/client.mjs'), 'utf8')
  const left = FAULTS.entries()
  async function work(): Promise<void> {
    for (const [i, fault] of left) {
      const folder = join(dir, String(i))
      mkdirSync(folder)
      writeFileSync(join(folder, 'client.mjs'), plant(source, fault))
      const command = ['node', adapter, join(folder, 'client.mjs')]
      const scenarios = SCENARIOS.filter(({ name }: Scenario) => name === fault.foundBy)
      const [result] = await run({ service, command, scenarios, jobs: 1, patienceMs: FAULTY_PATIENCE_MS })
      t.match(result?.fault, /\w/, `${fault.name}, by ${fault.foundBy}: ${result?.fault}`)
    }
  }
  await Promise.all(Array.from({ length: JOBS }, work))
})
