import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { DEMO_USERS } from '../plugins/demo.js'
import { pushKeyOf } from '../plugins/push/key.js'
import { guard, toRoute } from '../plugins/resource.js'

const TOKEN_LIFE_S = 86_400

/** The chat page at /, and the widget for other sites at /chat-room.js, and what of the settings both must know; with demo data in development, the tokens of its people. */
export default async function webRoutes(app: FastifyInstance): Promise<void> {
  const { config } = app
  if (!config.WEB) return
  await app.register(async (page) => {
    for (const hook of guard(app, 'get_page')) page.addHook('onRequest', hook)
    await page.register(fastifyStatic, {
      root: join(import.meta.dirname, '../web'),
      index: 'index.html',
      decorateReply: false,
      setHeaders: (reply, path) => {
        // Other sites may load the widget; helmet allows it to our own alone.
        if (path.endsWith('chat-room.js')) reply.header('cross-origin-resource-policy', 'cross-origin')
      },
      // Source maps tell how the page was written.
      allowedPath: (path) => !(config.isProduction && path.endsWith('.map')),
    })
  })

  app.route({
    ...toRoute(app, 'get_page_settings'),
    handler: async () => ({
      maxMessageChars: config.MAX_MESSAGE_CHARS,
      maxUploadBytes: config.MAX_UPLOAD_BYTES,
      pushKey: pushKeyOf(config),
    }),
  })

  if (config.isProduction || !config.DEMO_DATA || !config.JWT_SECRET) return
  app.route({
    ...toRoute(app, 'get_demo_tokens'),
    handler: async () => {
      const exp = Math.floor(Date.now() / 1_000) + TOKEN_LIFE_S
      const mint = (userId: string) => app.auth.sign({ [config.JWT_USER_CLAIM]: userId, exp })
      return Object.fromEntries(DEMO_USERS.map(({ userId }) => [userId, mint(userId)]))
    },
  })
}
