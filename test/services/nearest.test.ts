import t from 'tap'
import { distance, nearest } from '../../services/nearest.js'

t.test('slips between two words', async (t) => {
  for (const [from, to, slips] of [
    ['', '', 0],
    ['', 'abc', 3],
    ['check', 'check', 0],
    ['chek', 'check', 1],
    ['chekc', 'check', 1],
    ['ceck', 'check', 1],
    ['chxck', 'check', 1],
    ['JWT_SECRT', 'JWT_SECRET', 1],
    ['kitten', 'sitting', 3],
  ] as const) {
    t.equal(distance(from, to), slips, `${from} → ${to}`)
    t.equal(distance(to, from), slips, 'and back')
  }
})

t.test('the nearest of some names, or none', async (t) => {
  const names = ['start', 'check', 'migrate', 'token']
  t.equal(nearest('chek', names), 'check')
  t.equal(nearest('strat', names), 'start')
  t.equal(nearest('migration', names), 'migrate')
  t.equal(nearest('deploy', names), undefined)
  t.equal(nearest('chec', names, 0), undefined)
})
