import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyTemplate } from '../helpers/embedded.js'
import { freePort, type Owner, startPostgres } from '../helpers/postgres.js'
import { KINDS, type Kind, type LeakRun, leakRun } from './leak-run.js'
import { createRandom } from './random.js'
import { createServerProcess } from './server.js'
import { listen } from './victim.js'

export interface LeaksOptions {
  database: 'embedded' | 'postgres'
  /** Runs of each kind. */
  count: number
  kinds?: readonly Kind[]
  seed: number
  /** Runs at once. */
  lanes?: number
}

const TALKERS = 2

/** Many runs of each kind against a server process of their own. */
export async function leakRuns(
  owner: Owner,
  { database, count, kinds = KINDS, seed, lanes = 16 }: LeaksOptions,
): Promise<LeakRun[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-leaks-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  if (database === 'embedded') await copyTemplate(dataDir)
  const cluster = database === 'postgres' ? await startPostgres(owner) : undefined
  const env = {
    DATA_DIR: dataDir,
    RATE_LIMIT: 'off',
    MAX_LOOP_DELAY_MS: '0',
    ...(cluster && { DATABASE_URL: cluster.url }),
  }
  const server = createServerProcess(await freePort(), env)
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  const plan = Array.from({ length: count }, (_, i) => kinds.map((kind) => ({ kind, name: `${kind}-${i}` }))).flat()
  const results: LeakRun[] = []
  async function lane(number: number): Promise<void> {
    const talkers = await Promise.all(
      Array.from({ length: TALKERS }, (_, i) => listen(owner, server, `talker-${number}-${i}`)),
    )
    for (let next = plan.shift(); next; next = plan.shift()) {
      for (const { heard } of talkers) heard.length = 0
      // Each run has its own chances, whichever lane takes it.
      const random = createRandom(seed + count * KINDS.indexOf(next.kind) + Number(next.name.split('-')[1]))
      results.push(await leakRun(owner, server, random, { ...next, talkers }))
    }
    for (const { socket } of talkers) socket.disconnect()
  }
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)))
  await server.kill()
  return results
}

/** What came of the runs of each kind. */
export function sumUp(results: LeakRun[]): Record<string, Record<string, number>> {
  const of = (kind: Kind) => results.filter((result) => result.kind === kind)
  return Object.fromEntries(
    KINDS.map((kind) => {
      const ends = of(kind).flatMap(({ endedAfterMs }) => endedAfterMs ?? [])
      const sum = (pick: (result: LeakRun) => number) => of(kind).reduce((total, result) => total + pick(result), 0)
      return [
        kind,
        {
          runs: of(kind).length,
          leaks: sum(({ leaks }) => leaks.length),
          'heard before': sum(({ heard }) => heard),
          ...(ends.length > 0 && { 'gone after at most, ms': Math.round(Math.max(...ends)) }),
        },
      ]
    }),
  )
}
