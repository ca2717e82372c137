import { join } from 'node:path'
import t from 'tap'
import { randomScenario } from '../../conformance/random.js'
import { run } from '../../conformance/run.js'
import { SCENARIOS } from '../../conformance/scenarios/index.js'
import { startService } from '../../conformance/service.js'
import { packageRoot } from '../../services/package-root.js'
import { embeddedDir } from '../helper.js'

const JOBS = 6
const PATIENCE_MS = 30_000
const SEEDS = [1, 2, 3]

// Ours plays all; among the slow tests the other two play each second, beginning at any. `npm run conformance` has any client play all.
const STEP = process.argv.includes('--all') ? 1 : 2
const FIRST = Math.floor(Math.random() * STEP)
const root = packageRoot()
const service = await startService(await embeddedDir(t))
t.teardown(() => service.close())

const OURS = 'our client'
const PASSERS = {
  'the plain client': ['node', join(root, 'conformance/clients/plain.mjs')],
  [OURS]: ['node', join(root, 'dist/conformance/clients/ours.js')],
  // Debian's, which has python3-socketio; another Python may come first in the path.
  'the client on python-socketio': ['/usr/bin/python3', join(root, 'conformance/clients/client.py')],
}

for (const [name, command] of Object.entries(PASSERS)) {
  t.test(`${name} keeps every law`, async (t) => {
    const all = [...SCENARIOS, ...SEEDS.map(randomScenario)]
    const scenarios = name === OURS ? all : all.filter((_, i) => i % STEP === FIRST)
    const results = await run({ service, command, scenarios, jobs: JOBS, patienceMs: PATIENCE_MS })
    for (const { scenario, fault } of results) t.equal(fault, null, `${scenario.name}: ${scenario.law}`)
  })
}
