import { parseArgs } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { build, onEachDatabase } from '../helper.js'
import { findFaults } from './unseen-reads.js'
import { anyWorld, playWorld } from './unseen-world.js'

// npm run test:unseen -- [--runs N] [--seed N --path P]: as npm test does it, longer, or one failing case again.
const { values } = parseArgs({
  strict: false,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const RUNS = Number(values.runs ?? 6)

t.setTimeout(values.runs === undefined ? 300_000 : 24 * 3_600_000)

onEachDatabase('what somebody may not see reaches them by no way', async (t, database) => {
  const service = await build(t, { ...database, users: [], uploads: 'folder', chatCreation: 'users' })
  let looks = 0
  const details = await fc.check(
    fc.asyncProperty(anyWorld, async (plan) => {
      const { users, rooms } = await playWorld(service, plan)
      const found = await findFaults(service, users, rooms)
      looks += found.looks
      if (found.faults.length > 0) throw new Error(found.faults.join('\n'))
    }),
    {
      numRuns: RUNS,
      seed: values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed),
      includeErrorInReport: true,
      // A world takes seconds: the first that fails is told as it is, not made smaller.
      endOnFailure: true,
      ...(values.path !== undefined && { path: String(values.path) }),
    },
  )
  const again = `npm run test:unseen -- --seed ${details.seed} --path "${details.counterexamplePath}"`
  if (details.failed) t.fail(`${(await fc.asyncDefaultReportMessage(details)) ?? ''}\n${again}`)
  t.pass(`${details.numRuns} worlds, ${looks} looks, seed ${details.seed}`)
})
