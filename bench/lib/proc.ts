import { readdirSync, readFileSync } from 'node:fs'

/** CPU time (user + system) that a process's threads have used, in µs: what /proc/<pid>/stat says in ticks, in finer units. */
export function cpuOf(pid: number): number {
  let ns = 0
  for (const tid of list(`/proc/${pid}/task`)) {
    ns += Number(read(`/proc/${pid}/task/${tid}/schedstat`).split(' ')[0] ?? 0)
  }
  return ns / 1_000
}

/** CPU time of a server and of its children, gone ones included, in µs (as fine as the kernel's tick of 10 ms). */
export function cpuOfTree(pid: number): number {
  const own = statOf(pid)
  let ticks = own.reduce((sum, part) => sum + part, 0)
  for (const child of childrenOf(pid)) ticks += statOf(child).reduce((sum, part) => sum + part, 0)
  return ticks * 10_000
}

/** Resident memory in KB. */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
}

function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`)
    .flatMap((tid) => read(`/proc/${pid}/task/${tid}/children`).split(' '))
    .filter((id) => id !== '')
    .map(Number)
}

/** utime, stime, and those of children that were waited for. */
function statOf(pid: number): number[] {
  return (read(`/proc/${pid}/stat`).split(') ')[1] ?? '').split(' ').slice(11, 15).map(Number)
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
