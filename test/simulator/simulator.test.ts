import t from 'tap'
import { placesOf } from './break.js'
import { MUTANTS } from './mutants.js'
import { runSeeds, seek } from './runs.js'
import type { Outcome } from './seeds.js'

const STEPS = 5_000
const RUNS = 20
const LAWS = [1, 2, 3, 4, 5, 6, 7, 8, 11]
/** Seeds in which each of these is found, so that one run is enough. */
const QUICK = [
  'an edit is told as a new message',
  'who is removed stays in the chat',
  'a chat is in two batches at once',
]

async function run(from: number, runs: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  await runSeeds({ from, stride: 1, runs, steps: STEPS }, (outcome) => {
    outcomes.push(outcome)
    return false
  })
  return outcomes
}

t.test('some seeds keep the laws, and a seed is the same run again', async (t) => {
  const first = await run(1, RUNS)
  t.equal(first.length, RUNS)
  for (const { seed, breach } of first) {
    if (breach) t.fail(`law ${breach.law}: npm run simulate -- --seed ${seed} --steps ${STEPS}: ${breach.text}`)
  }
  const sum = (of: (outcome: Outcome) => number) => first.reduce((total, outcome) => total + of(outcome), 0)
  t.ok(sum(({ steps }) => steps) > RUNS * STEPS)
  t.ok(sum(({ deliveries }) => deliveries) > RUNS * 100, 'clients are told a lot')
  // In another process, and with nothing before it.
  const again = await run(RUNS, 1)
  const told = ({ steps, hash, deliveries, counts }: Outcome) => ({ steps, hash, deliveries, counts })
  t.same(again.map(told), first.slice(-1).map(told))
  t.equal(new Set(first.map(({ hash }) => hash)).size, RUNS, 'and each seed another one')
})

t.test('each law is broken somewhere, and the text of each break is there', async (t) => {
  for (const mutant of MUTANTS) t.equal(placesOf(mutant), 1, mutant.name)
  t.same(
    [...new Set(MUTANTS.map(({ law }) => law))].sort((a, b) => a - b),
    LAWS,
  )
})

// All of them take minutes: npm run simulate -- --mutants.
t.test('broken laws are found', async (t) => {
  for (const name of QUICK) {
    const mutant = MUTANTS.find((mutant) => mutant.name === name)
    if (!mutant) return t.fail(name)
    const { found } = await seek(mutant, `test-${mutant.law}`, 5, STEPS)
    t.equal(found?.breach?.law, mutant.law, name)
  }
  return undefined
})
