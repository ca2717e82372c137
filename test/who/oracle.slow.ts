import t from 'tap'
import { build, onEachDatabase } from '../helper.js'
import { anyCase, MAX_MEMBERS } from './graph.js'
import { isLong, playInLanes } from './lanes.js'
import { play } from './witness.js'

// npm run test:who -- [--runs N] [--seed N --path P]: as npm run test:slow does it, longer, or one failing case again.
t.setTimeout(isLong ? 24 * 3_600_000 : 300_000)

onEachDatabase('who knows of whom is what the graph says', async (t, database) => {
  const service = await build(t, { ...database, users: [], presenceGraceMs: 20, presenceMaxMembers: MAX_MEMBERS })
  const seen = { graphs: 0, looks: 0 }
  const { runs, seed } = await playInLanes(t, {
    script: 'test:who',
    arbitrary: anyCase,
    play: async (plan) => {
      const { graphs, looks } = await play(t, service, plan)
      seen.graphs += graphs
      seen.looks += looks
    },
    runs: 6,
    // Few runs are to be large ones, too.
    options: { unbiased: true },
  })
  t.pass(`${runs} runs, ${seen.graphs} graphs, ${seen.looks} looks, seed ${seed}`)
})
