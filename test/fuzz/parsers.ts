import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createCpuClock } from '../probe/cpu.js'
import { type Case, type Failure, randomOf, seedOf } from './cases.js'
import { TARGETS, type Target } from './targets.js'

/** Inputs of a case. */
const INPUTS = 10_000
const WORKERS = 2
/** What one input may take of the thread's own time, the fastest of a few readings: poison is slow every time. */
const MAX_MS = 20
const READINGS = 3
const MOST_FAILURES = 10
const cpu = createCpuClock()

type News = { inputs: number; slowestMs: number; slowest: string; failures: Failure[] }

/** Reads the inputs of all cases, on two threads. */
export async function fuzzParsers(cases: Case[]): Promise<News> {
  const total: News = { inputs: 0, slowestMs: 0, slowest: '', failures: [] }
  await Promise.all(
    Array.from({ length: Math.min(WORKERS, cases.length) }, async (_, i) => {
      const mine = cases.filter((_, index) => index % WORKERS === i)
      const worker = new Worker(fileURLToPath(import.meta.url), { workerData: mine })
      await new Promise<void>((resolve, reject) => {
        worker.on('error', reject)
        worker.on('exit', () => resolve())
        worker.on('message', ({ inputs, slowestMs, slowest, failures }: News) => {
          total.inputs += inputs
          total.failures.push(...failures)
          if (slowestMs > total.slowestMs) Object.assign(total, { slowestMs, slowest })
        })
      })
    }),
  )
  return total
}

function run(one: Case): News {
  const target = TARGETS[one.index % TARGETS.length] as Target
  const draw = target.begin(randomOf(one), seedOf(one))
  const news: News = { inputs: INPUTS, slowestMs: 0, slowest: target.name, failures: [] }
  const fail = (law: string, what: string): void => {
    if (news.failures.length < MOST_FAILURES) news.failures.push({ law, what: `${target.name}: ${what}`, cases: [one] })
  }
  for (let i = 0; i < INPUTS; i += 1) {
    const read = draw()
    let ms = measured(target, read, fail, () => performance.now())
    for (let again = 1; ms > MAX_MS && again <= READINGS; again += 1)
      ms = Math.min(ms, measured(target, read, fail, cpu))
    if (ms > MAX_MS) fail(`no input takes ${MAX_MS} ms`, `input ${i} took ${Math.round(ms)} ms`)
    news.slowestMs = Math.max(news.slowestMs, ms)
  }
  if (Reflect.get({}, 'polluted') !== undefined) fail('no prototype is polluted', 'one is')
  return news
}

function measured(
  { mayThrow }: Target,
  read: () => void,
  fail: (law: string, what: string) => void,
  clock: () => number,
): number {
  const startedAt = clock()
  try {
    read()
  } catch (error) {
    if (!mayThrow(error)) fail('nothing is thrown but what is meant to be', wordsOf(error))
  }
  return clock() - startedAt
}

const wordsOf = (error: unknown) => (error instanceof Error ? String(error.stack) : String(error))

if (!isMainThread && Array.isArray(workerData)) {
  for (const one of workerData as Case[]) parentPort?.postMessage(run(one))
}
