import type { CommandName } from '../../contract/commands.js'
import type { ErrorCode } from '../../contract/errors.js'
import type { Message } from '../../contract/shapes.js'
import { check, type SendRecord } from '../faults/checker.js'
import { dump } from '../faults/dump.js'
import { createRecorder, now, positionOf, type Stand } from '../faults/recorder.js'
import { type ClientSocket, client, next, type Service, until } from '../helper.js'
import { overRest } from '../helpers/doors.js'

/** What of a tap test is needed here. */
type Test = Parameters<typeof client>[0]

/** One answer, whichever door it came through. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export type Answer = { ok: true; data: any } | { ok: false; code: ErrorCode }

/** A socket, where it stands, and the messages that it was told of last, by chat. */
export interface Device {
  userId: string
  socket: ClientSocket
  stand: Stand
  told: Map<string, Map<string, Message>>
}

export interface ChatPlan {
  type: 'group' | 'direct'
  historyVisibility: 'all' | 'joined'
  founders: number[]
}

let worlds = 0

export type World = Awaited<ReturnType<typeof createWorld>>

/** Some users and chats of their own in the running service, and both doors to it. */
export async function createWorld(t: Test, service: Service, people: number, plans: readonly ChatPlan[]) {
  worlds += 1
  const name = `w${worlds}`
  const users = Array.from({ length: people }, (_, i) => `${name}-u${i}`)
  const devices: Device[] = []
  const recorder = createRecorder()
  const { history } = recorder
  await service.app.chat.users.ensure(users.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const chatIds: string[] = []
  for (const [i, { founders, ...plan }] of plans.entries()) {
    const body = { ...plan, chatId: `${name}-c${i}`, memberIds: founders.map((user) => users[user]) }
    const made = await service.call('POST', '/chats', { as: 'service', body })
    if (made.status !== 201) throw new Error(JSON.stringify(made.body))
    chatIds.push(made.body.chat.chatId)
  }

  function record(command: CommandName, input: Record<string, unknown>, as: string, invokedAt: number, answer: Answer) {
    if (command !== 'send_message' || typeof input.clientMessageId !== 'string') return
    const chatId = String(input.chatId)
    const key = input.clientMessageId
    const known = history.sends.find((one) => one.chatId === chatId && one.userId === as && one.key === key)
    const send: SendRecord = known ?? { chatId, userId: as, key, invokedAt, attempts: 0, acks: [] }
    if (!known) history.sends.push(send)
    send.attempts += 1
    // Of several tries at once the first to be answered need not be the first that was made.
    send.invokedAt = Math.min(send.invokedAt, invokedAt)
    if (answer.ok) {
      const { message, duplicate } = answer.data
      send.acks.push({ at: now(), id: message.id, seq: message.seq, revision: message.revision, duplicate })
    } else send.refused = answer.code
  }

  return {
    users,
    chatIds,
    devices,

    devicesOf: (userId: string) => devices.filter((device) => device.userId === userId),

    /** Runs a command for a user, or for a service where there is none. */
    async call(
      command: CommandName,
      input: Record<string, unknown>,
      as: string | null,
      door: 'socket' | 'rest' | 'behalf',
      device = 0,
    ): Promise<Answer> {
      const own = devices.filter(({ userId }) => userId === as)
      const invokedAt = now()
      const raw =
        door === 'socket' && own.length > 0
          ? await (own[device % own.length] as Device).socket
              .timeout(15_000)
              .emitWithAck(command as 'sync', input as never)
          : await overRest(service, command, input, as, door === 'behalf')
      const answer: Answer = raw.ok ? { ok: true, data: raw.data } : { ok: false, code: raw.error.code }
      if (as !== null) record(command, input, as, invokedAt, answer)
      return answer
    },

    /** Has messages expire up to a seq, and their rows go: with them go their keys. */
    async expire(chatId: string, seq: number): Promise<void> {
      await service.app.chat.log.expireThrough(chatId, seq)
      await service.app.chat.log.clear()
    },

    /** One more socket of a user; answers what it was told first. */
    async connect(userId: string) {
      const socket = client(t, service, userId)
      const stand = recorder.watch(userId, socket)
      const told: Device['told'] = new Map()
      const start = ({ chatId }: { chatId: string }) => told.set(chatId, new Map())
      socket.on('session', ({ chats }) => chats.forEach(start))
      socket.on('chat_added', start)
      for (const event of ['new_message', 'message_updated', 'message_deleted'] as const) {
        socket.on(event, (message) => void told.get(message.chatId)?.set(message.id, message))
      }
      const session = next(socket, 'session')
      socket.connect()
      devices.push({ userId, socket, stand, told })
      return await session
    },

    disconnect(device: Device): void {
      device.socket.disconnect()
      devices.splice(devices.indexOf(device), 1)
    },

    /** Waits until every socket is in its user's chats and has seen them to the end. */
    async quiet(
      heads: () => Promise<Map<string, Map<string, number>>> | Map<string, Map<string, number>>,
    ): Promise<void> {
      const expected = await heads()
      const late = () =>
        devices.filter(({ userId, stand }) => {
          const chats = expected.get(userId) ?? new Map<string, number>()
          const seen = [...stand.here].filter(([chatId, stay]) => positionOf(stay) === chats.get(chatId))
          return seen.length !== chats.size || stand.here.size !== chats.size
        })
      await until('all sockets have seen all', () => late().length === 0).catch((error) => {
        const [device] = late()
        const stands = [...(device?.stand.here ?? [])].map(([chatId, stay]) => [chatId, positionOf(stay)])
        throw new Error(
          `${error.message}: ${device?.userId} is at ${stands}, not ${[...(expected.get(device?.userId ?? '') ?? [])]}`,
        )
      })
    },

    /** Holds all that the sockets saw against what is stored. */
    async judge(): Promise<void> {
      for (const { stand } of devices) for (const stay of stand.here.values()) stay.isLive = true
      Object.assign(history, await dump(service.app.db.pool, chatIds))
      const { isClean, witnesses } = check(history)
      if (!isClean) throw new Error(`the history is wrong: ${JSON.stringify(witnesses)}`)
    },

    close(): void {
      for (const { socket } of devices.splice(0)) socket.disconnect()
    },
  }
}
