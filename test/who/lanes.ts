import { parseArgs } from 'node:util'
import fc from 'fast-check'
import type { Test } from 'tap'

const { values } = parseArgs({
  strict: false,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
})

/** Whether the command line asks for a number of runs of its own. */
export const isLong = values.runs !== undefined

/** Cases that are played at once: most of a case is waiting for answers, one after the other. */
const LANES = values.path === undefined ? 8 : 1

interface Lanes<T> {
  /** The npm script that plays a failing case again. */
  script: string
  arbitrary: fc.Arbitrary<T>
  play: (plan: T) => Promise<void>
  /** Runs where the command line says nothing. */
  runs: number
  options?: fc.Parameters<[T]>
}

/** Plays random cases, several at once, and says of each that fails how it comes again; answers how many ran, and from which seed on. */
export async function playInLanes<T>(t: Test, { script, arbitrary, play, runs: usual, options }: Lanes<T>) {
  const runs = Number(values.runs ?? usual)
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      fc.check(fc.asyncProperty(arbitrary, play), {
        ...options,
        numRuns: Math.ceil(runs / LANES),
        seed: seed + lane,
        includeErrorInReport: true,
        ...(values.path !== undefined && { path: String(values.path) }),
      }),
    ),
  )
  for (const details of lanes) {
    if (!details.failed) continue
    const report = (await fc.asyncDefaultReportMessage(details)) ?? ''
    t.fail(`${report}\nnpm run ${script} -- --seed ${details.seed} --path "${details.counterexamplePath}"`)
  }
  return { runs: lanes.reduce((sum, { numRuns }) => sum + numRuns, 0), seed }
}
