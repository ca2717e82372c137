import t from 'tap'
import { needsPostgres } from '../helpers/postgres.js'
import { leakRuns, sumUp } from './leak-runs.js'

t.setTimeout(600_000)

for (const database of ['embedded', 'postgres'] as const) {
  const options = database === 'embedded' ? {} : needsPostgres
  t.test(`who is shut out hears nothing more, ${database}`, options, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const results = await leakRuns(t, { database, count: 25, seed })
    const replay = `npm run faults:leaks -- --count 25 --database ${database} --seed ${seed}`
    t.same(
      results.flatMap(({ leaks }) => leaks),
      [],
      replay,
    )
    t.comment(JSON.stringify(sumUp(results)))
    for (const [kind, { runs = 0, 'heard before': heard = 0 }] of Object.entries(sumUp(results))) {
      t.equal(runs, 25, kind)
      t.ok(heard > 25, `${kind}: ${heard} heard before`)
    }
  })
}
