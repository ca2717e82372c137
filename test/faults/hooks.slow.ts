import t from 'tap'
import { needsPostgres } from '../helpers/postgres.js'
import { runHooks } from './hooks-run.js'

t.setTimeout(600_000)

t.test('a hook is told all, in order, whatever is killed', needsPostgres, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const { faults, counts, said } = await runHooks(t, { revisions: 5_000, kills: 2, backlog: 2_000, chats: 20, seed })
  t.same(faults.slice(0, 5), [], `npm run faults:hooks -- --quick --seed ${seed}`, { said })
  t.ok((counts.told ?? 0) >= 7_000, `${counts.told} told`)
  t.comment(JSON.stringify(counts))
})
