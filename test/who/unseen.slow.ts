import t from 'tap'
import { build, onEachDatabase } from '../helper.js'
import { isLong, playInLanes } from './lanes.js'
import { findFaults } from './unseen-reads.js'
import { anyWorld, playWorld } from './unseen-world.js'

// npm run test:unseen -- [--runs N] [--seed N --path P]: as npm run test:slow does it, longer, or one failing world again.
t.setTimeout(isLong ? 24 * 3_600_000 : 300_000)

onEachDatabase('what somebody may not see reaches them by no way', async (t, database) => {
  const service = await build(t, { ...database, users: [], uploads: 'folder', chatCreation: 'users' })
  let [cases, looks] = [0, 0]
  const { runs, seed } = await playInLanes(t, {
    script: 'test:unseen',
    arbitrary: anyWorld,
    play: async (plan) => {
      const { users, rooms } = await playWorld(service, plan)
      const found = await findFaults(service, users, rooms)
      cases += users.length
      looks += found.looks
      if (found.faults.length > 0) throw new Error(found.faults.join('\n'))
    },
    runs: 8,
    // A world takes long: the first that fails is told as it is, not made smaller.
    options: { endOnFailure: true },
  })
  t.pass(`${runs} worlds, seen by ${cases} users in ${looks} looks, seed ${seed}`)
})
