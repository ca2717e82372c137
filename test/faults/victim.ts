import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import type { CommandName, Input } from '../../contract/commands.js'
import { ask } from '../../scripts/socket.js'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import { now } from './recorder.js'
import { type ServerProcess, tokenOf } from './server.js'

const CONNECT_MS = 30_000

/** One thing that a socket was told, and when. */
export interface Heard {
  at: number
  event: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sends is looked at
  payload: any
}

/** A user with a socket that keeps all that it hears. */
export interface Ear {
  userId: string
  token: string
  socket: ClientSocket
  heard: Heard[]
  /** When it was cut off. */
  goneAt: number | null
}

/** Connects somebody; settles when they are in. */
export async function listen(owner: Owner, server: ServerProcess, userId: string, lifeS?: number): Promise<Ear> {
  const token = tokenOf(userId, lifeS)
  const socket: ClientSocket = io(server.url, {
    auth: { token },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 100,
  })
  const ear: Ear = { userId, token, socket, heard: [], goneAt: null }
  socket.onAny((event: string, payload: unknown) => void ear.heard.push({ at: now(), event, payload }))
  socket.on('disconnect', () => {
    ear.goneAt = now()
  })
  owner.teardown(() => socket.disconnect())
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${userId} did not get in`)), CONNECT_MS)
    socket.once('session', () => {
      clearTimeout(timer)
      // Who is cut off from now on stays away.
      socket.io.reconnection(false)
      resolve()
    })
    // A node that is busy asks to come again.
    socket.on('connect_error', (error) => {
      if (!socket.active) reject(error)
    })
  })
  return ear
}

/** Has people write, type, read and look otherwise in some chats, as fast as they are answered, until it is stopped. */
export function chatter(people: Ear[], chatIds: string[]) {
  let isStopped = false
  const refusals = new Map<string, number>()

  async function say<C extends CommandName>({ socket }: Ear, command: C, input: Input<C>): Promise<void> {
    if (!socket.connected) return
    const answer = await ask(socket, command, input, CONNECT_MS).catch(() => null)
    if (answer && !answer.ok) refusals.set(answer.error.code, (refusals.get(answer.error.code) ?? 0) + 1)
  }

  const talks = people.map(async (person) => {
    for (let turn = 0; !isStopped && person.socket.connected; turn += 1) {
      for (const chatId of chatIds) {
        await Promise.all([
          say(person, 'send_message', { chatId, content: `${turn}` }),
          say(person, 'typing', { chatId, isTyping: turn % 2 === 0 }),
          say(person, 'mark_as_read', { chatId, upToSeq: 1_000_000 }),
        ])
      }
      await say(person, 'set_presence', { status: turn % 2 === 0 ? 'away' : 'online' })
      await sleep(20)
    }
  })

  return {
    /** How often something was refused, by code. */
    refusals,
    async stop(): Promise<void> {
      isStopped = true
      await Promise.all(talks)
    },
  }
}
