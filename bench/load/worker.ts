// The load generator: a process of its own, told what to do over its channel. It counts and parses next to nothing.
import { spread } from '../lib/stats.js'
import type { Work } from './commands.js'
import { type FanOptions, fan } from './fan.js'
import { Group, type OpenOptions } from './group.js'
import { closedLoop, type Loop, openLoop } from './loops.js'

const groups = new Map<string, Group>()
const loops = new Map<string, Loop>()

function groupOf(name: string): Group {
  const group = groups.get(name)
  if (!group) throw new Error(`no group ${name}`)
  return group
}

/** What the generator can be asked for. */
const calls = {
  open(options: OpenOptions) {
    const group = groups.get(options.group) ?? new Group()
    groups.set(options.group, group)
    return group.open(options)
  },
  kill({ group }: { group: string }) {
    groups.get(group)?.kill()
    groups.delete(group)
  },
  fan: (options: FanOptions) => fan(groupOf(options.group), options),
  counts: ({ group }: { group: string }) => groupOf(group).counts(),
  closedLoop({ group, work, inFlight }: { group: string; work: Work; inFlight: number }) {
    loops.set(group, closedLoop(groupOf(group), work, inFlight))
  },
  openLoop({ group, work, rate, senders }: { group: string; work: Work; rate: number; senders: number }) {
    loops.set(group, openLoop(groupOf(group), work, rate, senders))
  },
  stop({ group }: { group: string }) {
    const result = loops.get(group)?.stop()
    loops.delete(group)
    const { ackMs = [], deliverMs = [], late = 0 } = result ?? {}
    return { ack: spread(ackMs), deliver: spread(deliverMs), acks: ackMs.length, delivers: deliverMs.length, late }
  },
}

export type Calls = typeof calls

interface Call {
  id: number
  name: keyof Calls
  options: never
}

async function answer({ id, name, options }: Call): Promise<void> {
  try {
    process.send?.({ id, result: await calls[name](options) })
  } catch (error) {
    process.send?.({ id, error: (error as Error).message })
  }
}

process.on('message', (call: Call) => void answer(call))
process.once('disconnect', () => process.exit())
