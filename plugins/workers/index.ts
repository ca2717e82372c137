import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Counts } from '../../services/metrics.js'
import { socketOf, workersIn } from '../../services/workers/folder.js'
import { passConnection } from '../../services/workers/switchboard.js'
import { createHanding } from './handing.js'
import { askAt, openSideDoor } from './side-door.js'

const LOOK_MS = 50

export interface WorkerOptions {
  /** This worker's number. */
  id: number
  /** The folder of the workers' sockets. */
  folder: string
}

/** Makes this process one of several that serve one port. */
async function workers(app: FastifyInstance, { id, folder }: WorkerOptions): Promise<void> {
  const { metrics } = app.chat
  metrics.gauge('chat_workers', 'Processes that serve this port.', () => 1)
  const handing = createHanding({
    engine: app.io.engine,
    id,
    socketOf: (other) => socketOf(folder, other),
    pass: passConnection,
    isClosing: app.door.isClosing,
    onHanded: (kind) => metrics.handed.inc({ kind }),
  })
  const close = await openSideDoor({
    path: socketOf(folder, id),
    server: app.server,
    answers: { counts: metrics.counts, clients: () => app.io.engine.clientsCount },
  })

  /** What all others answer that do so. */
  async function askOthers<T>(name: string): Promise<T[]> {
    const others = workersIn(folder).filter((other) => other !== id)
    const answers = await Promise.allSettled(others.map((other) => askAt<T>(socketOf(folder, other), name)))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  }

  metrics.addOthers(() => askOthers<Counts>('counts'))
  // Clients of the others come through here, too: until the last of them is gone.
  app.door.onClosing(async () => {
    const endMs = performance.now() + app.config.DRAIN_MS
    while (performance.now() < endMs && (await askOthers<number>('clients')).some((count) => count > 0))
      await sleep(LOOK_MS)
  })
  app.addHook('onClose', async () => {
    handing.stop()
    await close()
  })
}

export default fp(workers, {
  name: 'chat-workers',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-io', 'chat-services'],
})
