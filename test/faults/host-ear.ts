import { io } from 'socket.io-client'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import { now } from './recorder.js'
import { tokenOf } from './server.js'

/** A member that comes back whenever the service does, and holds each chat's revisions against the one before. */
export function createEar(owner: Owner, url: string, userId: string) {
  /** How far each chat has been told, from the session on. */
  const positions = new Map<string, number>()
  /** When the message of a key was told, the first time. */
  const toldAt = new Map<string, number>()
  const disorder: string[] = []
  let sessions = 0
  const socket: ClientSocket = io(url, {
    auth: { token: tokenOf(userId) },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 250,
  })
  owner.teardown(() => socket.disconnect())

  socket.on('session', ({ chats }) => {
    sessions += 1
    for (const { chatId, revision } of chats) {
      const before = positions.get(chatId) ?? 0
      if (revision < before) disorder.push(`${chatId}: the session is at ${revision}, ${before} was told`)
      positions.set(chatId, revision)
    }
  })
  socket.on('new_message', ({ chatId, revision, clientMessageId }) => {
    const before = positions.get(chatId)
    if (revision !== (before ?? Number.NaN) + 1) disorder.push(`${chatId}: ${revision} after ${before}`)
    positions.set(chatId, revision)
    if (clientMessageId !== null && !toldAt.has(clientMessageId)) toldAt.set(clientMessageId, now())
  })

  return {
    socket,
    positions,
    toldAt,
    /** What did not follow on what was told before. */
    disorder,
    sessions: () => sessions,
  }
}
