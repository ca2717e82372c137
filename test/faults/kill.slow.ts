import t from 'tap'
import { needsPostgres } from '../helpers/postgres.js'
import { run, type Victim } from './run.js'

t.setTimeout(600_000)

const KILLS: Record<Victim, number> = { embedded: 3, postgres: 3, postmaster: 2 }

for (const [victim, kills] of Object.entries(KILLS)) {
  const options = victim === 'embedded' ? {} : needsPostgres
  t.test(`${victim} killed ${kills} times loses nothing, doubles nothing and hides nothing`, options, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { counts, verdict, said } = await run(t, { victim: victim as Victim, kills, seed })
    const replay = `npm run faults:kill -- --quick --only ${victim} --seed ${seed}`
    t.same(verdict.witnesses, {}, replay, { said })
    t.ok(counts.settled, 'all came to rest', { said })
    t.ok((counts.acked ?? 0) > 50, `${counts.acked} acked`)
  })
}
