import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { API_KEY, inSeconds, SECRET, type Service, sign, tempDir, until } from '../helper.js'
import { startServer } from '../helpers/process.js'

/** A line of the log. */
export interface Line {
  level: number
  msg: string
  pid: number
  worker?: number
  serving?: number
  of?: number
}

/** A service of several workers. */
export interface Machine {
  parent: ChildProcess
  /** What the test's clients and calls take. */
  service: Service
  lines: Line[]
  /** Where the workers' sockets are. */
  tmp: string
  /** The processes that serve now, by their numbers. */
  workers(): Map<number, number>
  allServe(): Promise<void>
  /** The page of metrics of whichever worker is asked, as numbers. */
  counts(): Promise<Map<string, number>>
}

/** Starts so many workers on a database; answers when all serve. */
export async function startMachine(t: Test, count: number, env: Record<string, string>): Promise<Machine> {
  const tmp = tempDir(t)
  const lines: Line[] = []
  const settings = {
    WORKERS: String(count),
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DRAIN_MS: '300',
    LOG_LEVEL: 'info',
    MAX_LOOP_DELAY_MS: '0',
    TMPDIR: tmp,
    ...env,
  }
  const { child, url } = await startServer(t, settings, (parent) => {
    const input = parent.stdout as NonNullable<typeof parent.stdout>
    createInterface({ input }).on('line', (line) => lines.push(JSON.parse(line)))
  })
  const token = (userId: string) => sign({ sub: userId, exp: inSeconds(600) })

  function workers(): Map<number, number> {
    const serving = lines.filter(({ msg }) => msg.includes('server on')).map(({ worker = 0, pid }) => [worker, pid])
    const ended = new Set(lines.filter(({ msg }) => msg.includes('worker ended')).map(({ worker }) => worker))
    return new Map((serving as [number, number][]).filter(([worker]) => !ended.has(worker)))
  }

  const allServe = () => until(`${count} workers serve`, () => workers().size === count)
  await allServe()
  return {
    parent: child,
    service: { url, token } as Service,
    lines,
    tmp,
    workers,
    allServe,
    async counts() {
      const page = await fetch(`${url}/metrics`, { headers: { 'x-api-key': API_KEY, connection: 'close' } })
      const rows = (await page.text()).split('\n').flatMap((line) => /^(\w+(?:\{.*\})?) ([\d.e+-]+)$/.exec(line) ?? [])
      const counts = new Map<string, number>()
      for (let at = 0; at < rows.length; at += 3) counts.set(rows[at + 1] as string, Number(rows[at + 2]))
      return counts
    },
  }
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
