import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Calls } from '../load/worker.js'
import { createChannel } from './channel.js'
import type { Owner } from './owner.js'

export type Generator = ReturnType<typeof startGenerator>

/** Starts a load generator. */
export function startGenerator(owner: Owner) {
  const child = fork(join(import.meta.dirname, '../load/worker.js'), { execArgv: ['--max-old-space-size=2048'] })
  owner.teardown(() => child.kill('SIGKILL'))
  const send = createChannel(child, 'the load generator')
  return {
    pid: child.pid as number,
    call: <C extends keyof Calls>(name: C, options: Parameters<Calls[C]>[0]) =>
      send(name, options) as Promise<Awaited<ReturnType<Calls[C]>>>,
  }
}
