import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../helpers/postgres.js'

/** kill -9 of a PostgreSQL that we started: its main process, and its backends too or left to notice by themselves. */
export async function killPostgres({ pid }: Cluster, withBackends: boolean): Promise<void> {
  const backends = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean)
  for (const id of withBackends ? [pid, ...backends] : [pid]) kill(id, 'SIGKILL')
  while (kill(pid, 0)) await sleep(5)
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
