import { setTimeout as sleep } from 'node:timers/promises'
import type { Person } from './load.js'
import { now, positionOf, type Stand } from './recorder.js'
import type { ServerProcess } from './server.js'

/** Waits until every connection has seen its chats to their end; false when that takes too long. */
export async function quiet(
  servers: ServerProcess[],
  people: Omit<Person, 'socket'>[],
  stands: Map<string, Stand>,
  patienceMs: number,
): Promise<boolean> {
  for (const end = now() + patienceMs; now() < end; await sleep(100)) {
    const heads = new Map<string, number>()
    for (const { userId, chatIds } of people) {
      for (const chatId of chatIds.filter((id) => !heads.has(id))) {
        const server = servers[heads.size % servers.length]
        const answer = await server?.call('GET', `/chats/${chatId}`, undefined, userId)
        if (answer?.body.chat) heads.set(chatId, answer.body.chat.revision)
      }
    }
    const isThere = people.every(({ userId, chatIds }) =>
      chatIds.every((chatId) => {
        const stay = stands.get(userId)?.here.get(chatId)
        return stay && positionOf(stay) === heads.get(chatId)
      }),
    )
    if (isThere) return true
  }
  return false
}
