import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** The people of the first minute. */
export const DEMO_USERS = [
  { userId: 'alice', name: 'Alice', avatarUrl: null },
  { userId: 'bob', name: 'Bob', avatarUrl: null },
  { userId: 'carol', name: 'Carol', avatarUrl: null },
]

/** Demo users, a chat of two and one of three; loaded once, found again later. */
async function demo(app: FastifyInstance): Promise<void> {
  if (!app.config.DEMO_DATA || app.db.hasForeignUsers) return
  const { users, log } = app.chat
  await users.ensure(DEMO_USERS)
  const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  const group = await log.createChat({
    chatId: 'demo',
    type: 'group',
    title: 'Demo',
    owner: 'alice',
    founders: DEMO_USERS.map(({ userId }) => userId),
  })
  // The chat of two comes last, so that it stands first in the list. A key once given is kept: it is what finds a greeting again.
  const greetings = [
    { key: 'demo-2', chatId: group.chatId, senderId: 'carol', content: 'Welcome to the demo.' },
    { key: 'demo-0', chatId: pair.chatId, senderId: 'alice', content: 'Hi Bob! This message is in the database.' },
    { key: 'demo-1', chatId: pair.chatId, senderId: 'bob', content: 'Then it is there to stay. 👋' },
  ]
  for (const { key, ...greeting } of greetings) await log.append({ ...greeting, clientMessageId: key })
}

export default fp(demo, { name: 'chat-demo', fastify: '5.x', dependencies: ['chat-config', 'chat-services'] })
