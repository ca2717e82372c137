import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import type { Person } from './load.js'
import { pick, type Random } from './random.js'
import type { Recorder } from './recorder.js'
import { type ServerProcess, tokenOf } from './server.js'

const CHATS = 6

/** Chats, and people with a stock client each who write in some of them. */
export async function gather(owner: Owner, server: ServerProcess, random: Random, clients: number): Promise<Person[]> {
  const chatIds = Array.from({ length: CHATS }, (_, i) => `room-${i}`)
  const people = Array.from({ length: clients }, (_, i): Person => {
    const userId = `user-${i}`
    const chats = new Set([chatIds[i % CHATS] as string, pick(random, chatIds)])
    return { userId, socket: stockClient(owner, server, userId), chatIds: [...chats] }
  })
  for (const { userId } of people) await must(server, 'PUT', `/users/${userId}`, { name: userId })
  for (const chatId of chatIds) {
    const memberIds = people.filter((person) => person.chatIds.includes(chatId)).map(({ userId }) => userId)
    await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds })
  }
  return people
}

/** Somebody who is put into a chat and taken out again all the time, and only looks on. */
export async function inviteGuests(owner: Owner, server: ServerProcess, recorder: Recorder) {
  const people = ['guest-0', 'guest-1'].map((userId) => ({ userId, socket: stockClient(owner, server, userId) }))
  const stands = people.map(({ userId, socket }) => recorder.watch(userId, socket))
  for (const { userId } of people) await must(server, 'PUT', `/users/${userId}`, { name: userId })
  let stopped = false
  const comings = people.map(async ({ userId }, i) => {
    while (!stopped) {
      await server.call('POST', `/chats/room-${i}/members`, { userIds: [userId] })
      await sleep(150)
      await server.call('DELETE', `/chats/room-${i}/members/${userId}`)
      await sleep(50)
    }
    for (let done = false; !done; await sleep(50)) {
      done = (await server.call('POST', `/chats/room-${i}/members`, { userIds: [userId] }))?.status === 200
    }
  })
  return {
    people,
    stands,
    async stop() {
      stopped = true
      await Promise.all(comings)
    },
  }
}

function stockClient(owner: Owner, server: ServerProcess, userId: string): ClientSocket {
  const options = { reconnectionDelay: 50, reconnectionDelayMax: 500, timeout: 5_000 }
  const socket: ClientSocket = io(server.url, {
    auth: { token: tokenOf(userId) },
    transports: ['websocket'],
    forceNew: true,
    autoConnect: false,
    ...options,
  })
  owner.teardown(() => socket.disconnect())
  return socket
}

async function must(server: ServerProcess, method: string, path: string, body: object): Promise<void> {
  const answer = await server.call(method, path, body)
  if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}\n${server.said()}`)
}
