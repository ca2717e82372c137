import type { FastifyInstance } from 'fastify'

/** The host's users; a real one has a table. */
export const people = new Map<string, { name: string; avatarUrl: string | null }>()

const Name = { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } }

/** The host's own routes; some of them speak to the chat through `app.chat`. */
export default async function routes(app: FastifyInstance): Promise<void> {
  app.post<{ Body: { name: string } }>('/login', { schema: { body: Name } }, async ({ body: { name } }) => {
    const userId = name.toLowerCase()
    const person = { name, avatarUrl: null }
    people.set(userId, person)
    // So that others can make a chat with somebody who has not opened theirs yet.
    await app.chat.users.put({ userId, ...person })
    return { token: app.jwt.sign({ sub: userId }, { expiresIn: '1h' }) }
  })

  app.get('/me', { onRequest: (request) => request.jwtVerify() }, async (request) => request.user)

  app.get('/stats', async () => ({ online: await app.chat.presence.countOnline() }))

  app.post<{ Params: { chatId: string; userId: string } }>('/remind/:chatId/:userId', async ({ params }) => {
    const { chatId, userId } = params
    if (!people.has(userId)) throw app.httpErrors.notFound('There is no such person.')
    return app.chat.messageService.createMessage({ chatId, senderId: userId, content: 'A reminder.' })
  })
}
