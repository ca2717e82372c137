// A host with decorators of its own under the names that we use inside: the package's types must not collide with them.
import chat, { type Chat, type HostHooks } from 'chat-socket-service'
import { ChatError, COMMANDS } from 'chat-socket-service/contract'
import { members, users } from 'chat-socket-service/schema'
import { eq } from 'drizzle-orm'
import Fastify from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    config: { MINE: string }
    db: Map<string, number>
    auth: 'mine'
    io: 'mine'
    second: Chat
  }
}

const hooks: HostHooks = {
  onMessage: ({ sender, content }) => {
    const said: string | null = content
    console.log(sender.userId, said)
  },
  onChange: async ({ chatId, revision, type }) => {
    if (type === 'member_changed') console.log(chatId, revision)
  },
  authorize({ command, input }) {
    if (command === 'send_message' && input.content === '') throw new ChatError('FORBIDDEN')
  },
  resolveUser: async ({ userId }) => (userId === null ? null : { name: userId }),
}

export async function start(): Promise<string | null> {
  const app = Fastify()
  await app.register(chat, { prefix: '/chat', databaseSchema: 'chat', maxMessageChars: 100, ...hooks })
  await app.register(chat, { prefix: '/second', decorator: 'second', socketPath: '/second/socket.io' })
  const mine: string = app.config.MINE
  const { message } = await app.chat.log.append({ chatId: 'a', senderId: 'b', content: mine })
  const online: boolean = await app.second.presence.isOnline('b')
  app.chat.io.to('chat_a').emit('typing', { chatId: 'a', userId: 'b', isTyping: online })
  const rows = await app.chat.db.run<{ n: number }>('n', 'SELECT 1 AS n', [])
  const people = await app.chat.db
    .select({ name: users.name, since: members.joinedAt })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(eq(members.chatId, 'a'))
  const since: string | undefined = people[0]?.since
  // @ts-expect-error settings have types
  await app.register(chat, { maxMessageChars: 'many' })
  // @ts-expect-error and names
  await app.register(chat, { databaseURL: 'postgres://' })
  // @ts-expect-error so has what is in the decorator: it is not any
  app.chat.log.nothing()
  // @ts-expect-error down to the driver
  app.chat.db.pool.nothing()
  // @ts-expect-error and the tables
  await app.chat.db.select({ name: users.nothing }).from(users)
  console.log(COMMANDS.send_message.summary, rows[0]?.n, since)
  return message.clientMessageId
}
