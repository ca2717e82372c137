import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../helpers/postgres.js'

/** kill -9 of a PostgreSQL that we started: its main process, and its backends too or left to notice by themselves. */
export async function killPostgres(cluster: Cluster, withBackends: boolean): Promise<void> {
  if (withBackends) signalPostgres(cluster, 'SIGKILL')
  else kill(cluster.pid, 'SIGKILL')
  await goneOf(cluster)
}

/** What `pg_ctl stop -m immediate` does: SIGQUIT to the main process, which ends its backends without a checkpoint. */
export async function stopPostgres(cluster: Cluster): Promise<void> {
  kill(cluster.pid, 'SIGQUIT')
  await goneOf(cluster)
}

/** A signal to the main process of a PostgreSQL that we started, and to its backends. */
export function signalPostgres({ pid }: Cluster, signal: NodeJS.Signals): void {
  for (const id of [pid, ...childrenOf(pid)]) kill(id, signal)
}

/** None of a process that has ended. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

async function goneOf({ pid }: Cluster): Promise<void> {
  while (kill(pid, 0)) await sleep(5)
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
