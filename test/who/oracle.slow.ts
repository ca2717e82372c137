import { parseArgs } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { build, onEachDatabase } from '../helper.js'
import { anyCase, MAX_MEMBERS } from './graph.js'
import { play } from './witness.js'

// npm run test:who -- [--runs N] [--seed N --path P]: as npm run test:slow does it, longer, or one failing case again.
const { values } = parseArgs({
  strict: false,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const isLong = values.runs !== undefined
const RUNS = Number(values.runs ?? 6)
/** Cases that are played at once: news of presence gathers for a while, and most of a case is waiting for it. */
const LANES = values.path === undefined ? 8 : 1

t.setTimeout(isLong ? 24 * 3_600_000 : 300_000)

onEachDatabase('who knows of whom is what the graph says', async (t, database) => {
  const service = await build(t, { ...database, users: [], presenceGraceMs: 20, presenceMaxMembers: MAX_MEMBERS })
  const first = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
  const seen = { graphs: 0, looks: 0 }
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      fc.check(
        fc.asyncProperty(anyCase, async (plan) => {
          const { graphs, looks } = await play(t, service, plan)
          seen.graphs += graphs
          seen.looks += looks
        }),
        {
          numRuns: Math.ceil(RUNS / LANES),
          seed: first + lane,
          // Few runs are to be large ones, too.
          unbiased: true,
          includeErrorInReport: true,
          ...(values.path !== undefined && { path: String(values.path) }),
        },
      ),
    ),
  )
  for (const details of lanes) {
    if (!details.failed) continue
    const report = (await fc.asyncDefaultReportMessage(details)) ?? ''
    t.fail(`${report}\nnpm run test:who -- --seed ${details.seed} --path "${details.counterexamplePath}"`)
  }
  const runs = lanes.reduce((sum, { numRuns }) => sum + numRuns, 0)
  t.pass(`${runs} runs, ${seen.graphs} graphs, ${seen.looks} looks, seed ${first}`)
})
