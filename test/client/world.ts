import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import type { ChatClient } from '../../client/src/index.js'
import type { Message, MyChat } from '../../client/src/wire.js'
import type { Service } from '../helper.js'
import { clientOf, messagesOf, online, when } from './client.js'

/** Ends the connections of somebody at the server, as a network does. */
export function cut(service: Service, userId: string): void {
  for (const socket of service.app.io.of('/').sockets.values()) if (socket.data.userId === userId) socket.conn.close()
}

interface State {
  chats: MyChat[]
  unread: unknown
  rooms: Record<string, Message[]>
}

/** Everything of the chats that a client shows, its rooms loaded to their first message. */
export async function stateOf(client: ChatClient, chatIds: string[]): Promise<State> {
  const rooms: State['rooms'] = {}
  for (const chatId of chatIds) {
    const room = client.room(chatId)
    await room.latest()
    while (room.history.get().hasBefore) await room.before()
    rooms[chatId] = messagesOf(room)
  }
  return { chats: client.chats.get(), unread: client.unread.get(), rooms }
}

const PATIENCE_MS = 15_000

/** Passes when a client shows what one that comes anew shows: once what is told now and then has come, too. */
export async function sameAsFresh(t: Test, service: Service, client: ChatClient, userId: string): Promise<void> {
  await online(client)
  await when(client.outbox, 'all is sent', (entries) => entries.every(({ status }) => status === 'failed'))
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const fresh = clientOf(t, service, userId)
    await online(fresh)
    const chatIds = fresh.chats.get().map(({ chatId }) => chatId)
    const [wanted, found] = [await stateOf(fresh, chatIds), await stateOf(client, chatIds)]
    await fresh.close()
    if (isDeepStrictEqual(found, wanted)) return void t.pass(`${userId} shows what is`)
    if (Date.now() > end) return void t.same(found, wanted, `${userId} shows what is`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
