import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../scripts/socket.js'
import type { Owner } from '../helpers/postgres.js'
import type { Random } from './random.js'
import { now } from './recorder.js'
import type { ServerProcess } from './server.js'
import { chatter, type Ear, type Heard, listen } from './victim.js'

/** How somebody is shut out. */
export const KINDS = ['removed', 'banned', 'blocked', 'revoked', 'expired'] as const
export type Kind = (typeof KINDS)[number]

export interface LeakRun {
  kind: Kind
  /** What reached somebody that should not have. */
  leaks: string[]
  /** Events heard before. */
  heard: number
  /** From the ack to the end of the socket, where it ends. */
  endedAfterMs: number | null
}

/** What is not in the log may trail by so much; a socket is to be gone within twice of it, for two cores are slow to look. */
const TRAIL_MS = 1_000
const WATCH_MS = 400
const MOST_CHATTER_MS = 400
const EXPIRES_S = 2

const UNLOGGED = ['typing', 'messages_read', 'user_status_change']

/** One chat in which people talk while one of them is shut out, at a moment that chance names. */
export async function leakRun(
  owner: Owner,
  server: ServerProcess,
  random: Random,
  { kind, name, talkers }: { kind: Kind; name: string; talkers: Ear[] },
): Promise<LeakRun> {
  const chatId = `chat-${name}`
  const direct = `direct-${name}`
  const [first] = talkers as [Ear]
  const userId = `victim-${name}`
  await must(server, 'PUT', `/users/${userId}`, { name: userId })
  const memberIds = [...talkers.map((talker) => talker.userId), userId]
  await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds })
  const isPair = kind === 'blocked'
  if (isPair)
    await must(server, 'POST', '/chats', { type: 'direct', chatId: direct, memberIds: [first.userId, userId] })
  const victim = await listen(owner, server, userId, kind === 'expired' ? EXPIRES_S : undefined)
  const expiresAt = now() + (expiryOf(victim.token) - Date.now())
  const talk = chatter([...talkers, victim], isPair ? [chatId, direct] : [chatId])
  try {
    await sleep(50 + random() * MOST_CHATTER_MS)
    const heard = victim.heard.length
    const leaks: string[] = []
    const leak = (what: string) => void leaks.push(`${name}: ${what}`)
    let endedAfterMs: number | null = null

    if (kind === 'revoked' || kind === 'expired') {
      if (kind === 'revoked') await must(server, 'POST', `/users/${userId}/revoke-tokens`)
      const ackedAt = kind === 'revoked' ? now() : expiresAt
      while (victim.goneAt === null && now() < ackedAt + 2 * TRAIL_MS) await sleep(10)
      if (victim.goneAt === null) leak(`still there after ${2 * TRAIL_MS} ms, and has heard ${victim.heard.length}`)
      else endedAfterMs = Math.max(0, victim.goneAt - ackedAt)
      const status = await statusOf(server, victim.token)
      if (status !== 401) leak(`REST answers ${status}`)
    } else if (isPair) {
      const [by, other] = random() < 0.5 ? [first, victim] : [victim, first]
      await must(server, 'PUT', `/users/me/blocks/${other.userId}`, {}, by.userId)
      const head = (await must(server, 'GET', `/chats/${direct}`, undefined, by.userId)).chat?.revision ?? 0
      const from = await fences([first, victim])
      await sleep(WATCH_MS)
      for (const [ear, about, since] of [
        [victim, first.userId, from[1] ?? 0],
        [first, userId, from[0] ?? 0],
      ] as const) {
        for (const one of ear.heard) {
          if (isOf(one, direct) && one.payload.revision > head)
            leak(`${one.event} ${one.payload.revision} above ${head}`)
          else if (UNLOGGED.includes(one.event) && one.payload.userId === about && one.at > since) {
            leak(`${one.event} of ${about} reached ${ear.userId}`)
          }
        }
      }
      if (!talk.refusals.has('FORBIDDEN')) leak('nobody was refused')
    } else {
      const path = kind === 'removed' ? ['DELETE', 'members'] : ['PUT', 'bans']
      await must(
        server,
        path[0] as string,
        `/chats/${chatId}/${path[1]}/${userId}`,
        kind === 'removed' ? undefined : {},
      )
      const [since = 0] = await fences([victim])
      await sleep(WATCH_MS)
      const removal = victim.heard.find(({ event, payload }) => event === 'chat_removed' && payload.chatId === chatId)
      if (!removal) leak('was not told')
      for (const one of victim.heard) {
        if (removal && isOf(one, chatId) && one.payload.revision > removal.payload.revision) {
          leak(`${one.event} ${one.payload.revision} above ${removal.payload.revision}`)
        } else if (UNLOGGED.includes(one.event) && one.payload.userId !== userId && one.at > since) leak(one.event)
      }
      const answer = await ask(victim.socket, 'get_messages', { chatId }, 30_000)
      if (answer.ok) leak('may still read')
    }
    return { kind, leaks, heard, endedAfterMs }
  } finally {
    await talk.stop()
    victim.socket.disconnect()
  }
}

const isOf = ({ payload }: Heard, chatId: string) => payload?.chatId === chatId && typeof payload.revision === 'number'

/** When what trails has trailed: what a socket hears behind its answer then was sent later than that. */
async function fences(ears: Ear[]): Promise<number[]> {
  await sleep(TRAIL_MS)
  return Promise.all(
    ears.map(async ({ socket }) => {
      await ask(socket, 'list_chats', { limit: 1 }, 30_000)
      return now()
    }),
  )
}

async function must(server: ServerProcess, method: string, path: string, body?: object, onBehalfOf?: string) {
  const answer = await server.call(method, path, body, onBehalfOf)
  if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}\n${server.said()}`)
  return answer.body
}

async function statusOf(server: ServerProcess, token: string): Promise<number> {
  const answer = await fetch(`${server.url}/chats`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  return answer.status
}

/** When a token of ours ends, in milliseconds. */
function expiryOf(token: string): number {
  const claims: { exp: number } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return claims.exp * 1_000
}
