import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import type { Person } from './load.js'
import { pick, type Random } from './random.js'
import type { Recorder } from './recorder.js'
import { type ServerProcess, tokenOf } from './server.js'

const CHATS = 6

/** Chats, and people with a stock client each who write in some of them, spread over the nodes; half of them look for another node when theirs is gone. */
export async function gather(
  owner: Owner,
  servers: ServerProcess[],
  random: Random,
  clients: number,
): Promise<Person[]> {
  const server = servers[0] as ServerProcess
  const chatIds = Array.from({ length: CHATS }, (_, i) => `room-${i}`)
  const people = Array.from({ length: clients }, (_, i): Person => {
    const userId = `user-${i}`
    const chats = new Set([chatIds[i % CHATS] as string, pick(random, chatIds)])
    const socket = stockClient(owner, servers, userId, { home: i, isMobile: i % 2 === 1 })
    return { userId, socket, chatIds: [...chats] }
  })
  for (const { userId } of people) await must(server, 'PUT', `/users/${userId}`, { name: userId })
  for (const chatId of chatIds) {
    const memberIds = people.filter((person) => person.chatIds.includes(chatId)).map(({ userId }) => userId)
    await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds })
  }
  return people
}

/** Some who are put into a chat and taken out again all the time, by another node than theirs, and only look on. */
export async function inviteGuests(owner: Owner, servers: ServerProcess[], recorder: Recorder) {
  const server = servers[0] as ServerProcess
  const people = ['guest-0', 'guest-1'].map((userId, i) => ({
    userId,
    socket: stockClient(owner, servers, userId, { home: i }),
    chatIds: [`room-${i}`],
  }))
  const stands = new Map(people.map(({ userId, socket }) => [userId, recorder.watch(userId, socket)]))
  for (const { userId } of people) await must(server, 'PUT', `/users/${userId}`, { name: userId })
  let stopped = false
  const comings = people.map(async ({ userId }, i) => {
    const other = (turn: number) => servers[(i + turn) % servers.length] as ServerProcess
    for (let turn = 1; !stopped; turn += 1) {
      await other(turn).call('POST', `/chats/room-${i}/members`, { userIds: [userId] })
      await sleep(150)
      await other(turn).call('DELETE', `/chats/room-${i}/members/${userId}`)
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

/** A client as it comes from the package; a mobile one asks another node each time that it must connect again. */
export function stockClient(
  owner: Owner,
  servers: { url: string }[],
  userId: string,
  { home = 0, isMobile = false } = {},
): ClientSocket {
  const urlOf = (at: number) => servers[at % servers.length]?.url ?? ''
  const options = { reconnectionDelay: 50, reconnectionDelayMax: 500, timeout: 5_000 }
  const socket: ClientSocket = io(urlOf(home), {
    auth: { token: tokenOf(userId) },
    transports: ['websocket'],
    forceNew: true,
    autoConnect: false,
    ...options,
  })
  let at = home
  if (isMobile) socket.io.on('reconnect_attempt', () => Object.assign(socket.io, { uri: urlOf(++at) }))
  owner.teardown(() => socket.disconnect())
  return socket
}

/** A REST call that must succeed. */
export async function must(server: ServerProcess, method: string, path: string, body: object): Promise<void> {
  const answer = await server.call(method, path, body)
  if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}\n${server.said()}`)
}
