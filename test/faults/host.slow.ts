import t from 'tap'
import { needsPostgres } from '../helpers/postgres.js'
import { runHosts } from './host-run.js'

t.setTimeout(600_000)

t.test('host transactions, and kills of all who take part', needsPostgres, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const kills = { service: 2, postgres: 2, backends: 10 }
  const { counts, anomalies, witnesses, said } = await runHosts(t, { transactions: 500, kills, seed })
  t.comment(JSON.stringify(counts))
  t.same(
    Object.entries(anomalies).filter(([, found]) => found !== 0),
    [],
    `npm run faults:host -- --quick --seed ${seed}`,
    { witnesses, said },
  )
  t.ok((counts.committed ?? 0) > 250, `${counts.committed} committed`)
})
