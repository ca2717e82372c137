import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { HealthAnswer } from '../contract/resources.js'
import { packageRoot } from '../services/package-root.js'

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
const PATIENCE_MS = 2_000
const tags = ['health']
const Ready = Type.Object({ ready: Type.Boolean() })

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

  app.get(
    '/health',
    { schema: { summary: 'How the service is.', tags, response: { 200: HealthAnswer, 503: HealthAnswer } } },
    async (_request, reply) => {
      const ok = await databaseAnswers()
      return reply.status(ok ? 200 : 503).send({
        status: ok ? 'ok' : 'down',
        uptime: process.uptime(),
        version,
        connections: app.io.engine.clientsCount,
        onlineUsers: await app.chat.presence.countOnline(),
        checks: { database: { ok, durability: app.db.durability }, bus: app.chat.bus.health() },
      })
    },
  )

  app.get(
    '/ready',
    { schema: { summary: 'Whether to send traffic here.', tags, response: { 200: Ready, 503: Ready } } },
    async (_request, reply) => {
      const ready = !app.door.isClosing() && (await databaseAnswers())
      return reply.status(ready ? 200 : 503).send({ ready })
    },
  )

  app.get(
    '/live',
    { schema: { summary: 'Whether the loop turns.', tags, response: { 200: Type.Object({ live: Type.Boolean() }) } } },
    async () => ({
      live: true,
    }),
  )
}
