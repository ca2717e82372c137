import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'
import { readVersion } from '../services/package-root.js'

const version = readVersion()
const PATIENCE_MS = 2_000

/** Whether the service lives, is ready, and how it is. */
export default async function healthRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()

  async function databaseAnswers(): Promise<boolean> {
    const timeout = new Promise<false>((resolve) => setTimeout(resolve, PATIENCE_MS, false).unref())
    const ping = app.db.run('ping', 'SELECT 1', []).then(
      () => true,
      () => false,
    )
    return Promise.race([ping, timeout])
  }

  app.route({
    ...toRoute(instance, 'get_health'),
    handler: async (_request, reply) => {
      const ok = await databaseAnswers()
      const bus = app.chat.bus.health()
      const isFull = app.db.isFull()
      return reply.status(ok ? 200 : 503).send({
        status: !ok ? 'down' : bus.ok && !isFull ? 'ok' : 'degraded',
        uptime: process.uptime(),
        version,
        connections: app.io.engine.clientsCount,
        onlineUsers: await app.chat.presence.countOnline(),
        checks: { database: { ok, durability: app.db.durability, isFull }, bus, search: app.chat.log.searchHealth() },
      })
    },
  })

  app.route({
    ...toRoute(instance, 'get_ready'),
    handler: async (_request, reply) => {
      const ready = !app.door.isClosing() && (await databaseAnswers())
      return reply.status(ready ? 200 : 503).send({ ready })
    },
  })

  app.route({ ...toRoute(instance, 'get_live'), handler: async () => ({ live: true }) })
}
