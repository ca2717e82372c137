import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/errors.js'
import { pushKeyOf } from '../plugins/push/key.js'
import { toRoute } from '../plugins/resource.js'

/** What a front end needs before it registers a browser as a device. */
export default async function pushRoutes(app: FastifyInstance): Promise<void> {
  const publicKey = pushKeyOf(app.config)

  app.route({
    ...toRoute(app, 'get_push_key'),
    handler: async () => {
      if (publicKey === null) throw new ChatError('NOT_FOUND')
      return { publicKey }
    },
  })
}
