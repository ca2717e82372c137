import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SCENARIOS } from '../../conformance/scenarios/index.js'
import { packageRoot } from '../../services/package-root.js'
import { FAULTS, plant } from './faults.js'

// The kit itself is slow: planted.slow.ts. This keeps the table of its faults true to the client meanwhile.
t.test('each fault can be planted, and each scenario is one that can fail', async (t) => {
  const source = readFileSync(join(packageRoot(), 'examples/plain-client/client.mjs'), 'utf8')
  for (const fault of FAULTS) t.not(plant(source, fault), source, fault.name)
  const scenarios = SCENARIOS.map(({ name }) => name)
  t.equal(new Set(scenarios).size, scenarios.length, 'each scenario has a name of its own')
  t.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length, 'and so has each fault')
  const lost = FAULTS.filter(({ foundBy }) => !scenarios.includes(foundBy))
  t.same(lost, [], 'each fault names a scenario')
  const unproven = scenarios.filter((name) => !FAULTS.some(({ foundBy }) => foundBy === name))
  t.same(unproven, [], 'each scenario has a fault that it finds')
})
