import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { prepareRecent } from '../../../services/log/recent.js'
import { createRandom, type Random } from '../../faults/random.js'
import { embeddedDir } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'
import { play } from './play.js'

// npm run test:notices -- [--steps N] [--seed N] [--only embedded|postgres]: as npm test does it, longer. The SQL on real databases beside the decision as a pure function.
const { values } = parseArgs({
  strict: false,
  options: { steps: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
})
const STEPS = Number(values.steps ?? 400)
const SEED = Number(values.seed ?? Date.now() % 1_000_000)
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

t.setTimeout(values.steps === undefined ? 600_000 : 48 * 3_600_000)

async function run(t: Test, db: Database, isShared: boolean): Promise<unknown> {
  if (values.only !== undefined && values.only !== (isShared ? 'postgres' : 'embedded')) return t.pass('left out')
  const random: Random = createRandom(SEED)
  const sums = { steps: 0, told: 0, kills: 0, scans: 0 }
  while (sums.steps < STEPS) {
    const done = await play({ db, isShared, random, steps: 60 + Math.floor(random() * 80) })
    if (done.fault)
      throw new Error(`${done.fault}\nnpm run test:notices -- --seed ${SEED} --steps ${sums.steps + done.steps}`)
    sums.steps += done.steps
    sums.told += done.told
    sums.kills += done.kills
    sums.scans += done.scans
  }
  t.ok(sums.told > STEPS / 20 && sums.kills > STEPS / 200, 'much was told, and scanners were killed')
  return t.comment(`seed ${SEED}`, sums)
}

t.test('whom a scan tells of what is what the model says, embedded', async (t) => {
  const db = await openDatabase({ dataDir: await embeddedDir(t), logger: quiet })
  t.teardown(() => db.close())
  await run(t, db, false)
})

t.test('whom a scan tells of what is what the model says, postgres', needsPostgres, async (t) => {
  const db = await openDatabase({ databaseUrl: await createDatabase(t), dataDir: tmpdir(), logger: quiet })
  t.teardown(() => db.close())
  await migrate(db)
  await prepareRecent(db, true)
  await run(t, db, true)
})
