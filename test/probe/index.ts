import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServerProcess, type ServerProcess } from '../faults/server.js'

/** A turn of the loop: how long the thread ran in it, and how long it took by the clock. */
export interface Stall {
  cpuMs: number
  wallMs: number
}

export interface Question {
  id: number
  ask: 'look' | 'weigh'
}

/** What a process says of itself when it is asked; the parts of `weigh` come after a collection of garbage. */
export interface Answer {
  id: number
  heapUsed: number
  rss: number
  stall?: Stall
  heapBefore?: number
  handles?: Record<string, number>
  fds?: number
  listeners?: Record<string, number>
  kept?: Record<string, number>
}

/** What a process tells by itself. */
export type News = { fault: string } | { stall: Stall }

export type Weight = Required<Omit<Answer, 'id' | 'stall'>>

const PRELOAD = pathToFileURL(resolve(import.meta.dirname, 'preload.js')).href
const PATIENCE_MS = 60_000

export interface ProbedServer extends ServerProcess {
  /** The longest turn of the loop since the last look, and the memory in use. */
  look(): Promise<Answer & { stall: Stall }>
  /** Memory after a collection of garbage, and what is open. */
  weigh(): Promise<Weight>
  /** How long a turn may take before the process tells of it. */
  watchTurns(limitMs: number): void
}

/** A server whose insides can be asked for; it tells `onNews` of what must never happen. */
export function createProbedServer(
  port: number,
  env: Record<string, string>,
  onNews: (news: News) => void,
): ProbedServer {
  const asked = new Map<number, (answer: Answer) => void>()
  let lastId = 0

  const server = createServerProcess(port, env, {
    nodeArgs: ['--expose-gc', '--import', PRELOAD],
    onMessage(message) {
      const said = message as Answer | News
      if (!('id' in said)) onNews(said)
      else asked.get(said.id)?.(said)
    },
  })

  async function ask(question: Question['ask']): Promise<Answer> {
    lastId += 1
    const id = lastId
    const answer = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the server did not answer within ${PATIENCE_MS} ms`)),
        PATIENCE_MS,
      )
      asked.set(id, (answer) => {
        clearTimeout(timer)
        asked.delete(id)
        resolve(answer)
      })
    })
    server.send({ id, ask: question } satisfies Question)
    return answer
  }

  return {
    ...server,
    look: async () => (await ask('look')) as Answer & { stall: Stall },
    weigh: async () => (await ask('weigh')) as Answer & Weight,
    watchTurns: (limitMs) => server.send({ limitMs }),
  }
}
