import { readdirSync } from 'node:fs'
import { Server } from 'socket.io'
import { createCpuClock } from './cpu.js'
import type { Answer, News, Question, Stall } from './index.js'

// Loaded into a server by `--import`, before its own modules: what only the process itself can see of itself. It answers the questions
// of the process that started it, and tells by itself of what must never happen.

const LOOK_MS = 10

/** The servers of Socket.IO in this process, for what listens to them. */
const servers: Server[] = []
const { attach } = Server.prototype
Server.prototype.attach = function attached(...args) {
  servers.push(this)
  return attach.apply(this, args)
}

const tell = (news: News): void => void process.send?.(news)

process.on('unhandledRejection', (error) => tell({ fault: `unhandled rejection: ${wordsOf(error)}` }))
process.on('uncaughtExceptionMonitor', (error) => tell({ fault: `uncaught: ${wordsOf(error)}` }))
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') tell({ fault: `warning: ${name}: ${message}` })
})

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
}

const cpu = createCpuClock()
let longest: Stall = { cpuMs: 0, wallMs: 0 }
let cpuBefore = cpu()
let wallBefore = performance.now()
let limitMs = Number.POSITIVE_INFINITY
setInterval(() => {
  const stall = { cpuMs: cpu() - cpuBefore, wallMs: performance.now() - wallBefore }
  if (stall.cpuMs > limitMs) tell({ stall })
  longest = { cpuMs: Math.max(longest.cpuMs, stall.cpuMs), wallMs: Math.max(longest.wallMs, stall.wallMs) }
  restart()
}, LOOK_MS).unref()

function restart(): void {
  cpuBefore = cpu()
  wallBefore = performance.now()
}

function countKinds(kinds: string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

interface Emitter {
  eventNames(): (string | symbol)[]
  listenerCount(event: string | symbol): number
}

const countListeners = (emitter: Emitter): number =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)

/** What listens to the emitters that live as long as the process. */
function listeners(): Record<string, number> {
  const counts: Record<string, number> = { process: countListeners(process) }
  for (const [i, io] of servers.entries()) {
    const { sockets } = io
    Object.assign(counts, {
      [`http${i}`]: countListeners(io.httpServer),
      [`engine${i}`]: countListeners(io.engine),
      [`namespace${i}`]: countListeners(sockets),
      [`adapter${i}`]: countListeners(sockets.adapter),
    })
  }
  return counts
}

/** What Socket.IO itself keeps. */
function kept(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [i, io] of servers.entries()) {
    const { sockets, adapter } = io.sockets
    Object.assign(counts, {
      [`sockets${i}`]: sockets.size,
      [`rooms${i}`]: adapter.rooms.size,
      [`sids${i}`]: adapter.sids.size,
      [`connections${i}`]: io.engine.clientsCount,
    })
  }
  return counts
}

async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  // That was no turn of the server's own.
  restart()
}

async function answer({ id, ask }: Question): Promise<Answer> {
  if (ask === 'look') {
    const { cpuMs, wallMs } = longest
    longest = { cpuMs: 0, wallMs: 0 }
    return { id, stall: { cpuMs, wallMs }, ...process.memoryUsage() }
  }
  const { heapUsed: heapBefore } = process.memoryUsage()
  await collectGarbage()
  return {
    id,
    heapBefore,
    ...process.memoryUsage(),
    handles: countKinds(process.getActiveResourcesInfo()),
    fds: readdirSync('/proc/self/fd').length,
    listeners: listeners(),
    kept: kept(),
  }
}

process.on('message', (question: Question | { limitMs: number }) => {
  if ('limitMs' in question) {
    restart()
    limitMs = question.limitMs
  } else void answer(question).then((answer) => process.send?.(answer))
})
// Whoever asks is what this process lives for.
process.on('disconnect', () => process.exit(1))
process.channel?.unref()
