import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../services/package-root.js'
import { breakLaw } from './break.js'
import type { Mutant } from './mutants.js'
import type { Outcome } from './seeds.js'

const WORKER = join(packageRoot(), 'dist/test/simulator/worker.js')
const children = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Which seeds a process runs: the first, every how-manieth from there on, how many, and for how many steps each has faults. */
export interface Seeds {
  from: number
  stride: number
  runs: number
  steps: number
}

/** Runs seeds in a process of their own, and hears of each; it ends when `hear` says so. */
export async function runSeeds(
  { from, stride, runs, steps }: Seeds,
  hear: (outcome: Outcome) => boolean,
  script = WORKER,
): Promise<void> {
  const args = [from, stride, runs, steps].map(String)
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let isOver = false
  for await (const line of createInterface({ input: child.stdout })) {
    isOver = hear(JSON.parse(line))
    if (isOver) break
  }
  if (isOver) child.kill('SIGKILL')
  const code = await closed
  children.delete(child)
  if (!isOver && code !== 0) throw new Error(`the simulator ended with ${code}`)
}

/** Looks for a broken law until a seed finds it; answers what did, and how many steps that took in all. */
export async function seek(mutant: Mutant, id: string, runs: number, steps: number) {
  const script = await breakLaw(mutant, id)
  let took = 0
  let found: Outcome | undefined
  const hear = (outcome: Outcome) => {
    took += outcome.steps
    if (outcome.breach) found = outcome
    return found !== undefined
  }
  await runSeeds({ from: 1, stride: 1, runs, steps }, hear, script)
  return { found, took }
}
