import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Counts } from '../../services/metrics.js'
import { socketOf, workersIn } from '../../services/workers/folder.js'
import { createHanding } from './handing.js'
import { openSideDoor, readCountsAt } from './side-door.js'

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
    onHanded: (kind) => metrics.handed.inc({ kind }),
  })
  const close = await openSideDoor({ path: socketOf(folder, id), server: app.server, readCounts: metrics.counts })
  metrics.addOthers(async () => {
    const others = workersIn(folder).filter((other) => other !== id)
    const counts = await Promise.allSettled(others.map((other) => readCountsAt<Counts>(socketOf(folder, other))))
    return counts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  })
  // Connections of others' clients that go through here end when those do.
  app.door.onClosing(() => handing.drain(app.config.DRAIN_MS))
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
