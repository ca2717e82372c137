import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Message } from '../../contract/shapes.js'
import type { Service } from '../helper.js'

// What somebody may not see reaches them by no way: each message says a word of its own, which is looked for in all that is answered.

/** Users and chats of a world. */
const USERS = 4
const CHATS = 2

const KINDS = {
  send: 6,
  carry: 2,
  reply: 2,
  mention: 4,
  edit: 4,
  pin: 3,
  delete: 1,
  add: 5,
  remove: 3,
  leave: 1,
  expire: 1,
} as const

interface Op {
  kind: keyof typeof KINDS
  chat: number
  user: number
  other: number
  pick: number
}

const anyOp = fc.record<Op>({
  kind: fc.oneof(
    ...Object.entries(KINDS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Op['kind']) })),
  ),
  chat: fc.nat(CHATS - 1),
  user: fc.nat(USERS - 1),
  other: fc.nat(USERS - 1),
  pick: fc.nat(1_000),
})

export interface WorldPlan {
  visibilities: ('all' | 'joined')[]
  ops: Op[]
}

export const anyWorld = fc.record<WorldPlan>({
  visibilities: fc.array(fc.constantFrom('all' as const, 'joined' as const), { minLength: CHATS, maxLength: CHATS }),
  ops: fc.array(anyOp, { minLength: 20, maxLength: 50 }),
})

/** A message as it should be, with the word that it says now. */
export interface Said {
  id: string
  seq: number
  senderId: string
  word: string
  attachmentId: string | null
  isDeleted: boolean
}

export interface Room {
  chatId: string
  isOpen: boolean
  firstSeq: number
  /** From which seq on each member sees it. */
  members: Map<string, number>
  messages: Said[]
}

export const WORD = /\bw[0-9a-f]{12}\b/g
const newWord = (): string => `w${randomUUID().replaceAll('-', '').slice(0, 12)}`

/** Makes the users and chats of a world, and plays it. */
export async function playWorld(service: Service, { visibilities, ops }: WorldPlan) {
  const users = Array.from({ length: USERS }, () => `u${randomUUID().slice(0, 8)}`)
  await service.app.chat.users.ensure(users.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const founders = users.slice(0, 2)
  const rooms: Room[] = []
  for (const historyVisibility of visibilities) {
    const body = { type: 'group', memberIds: founders, historyVisibility }
    const made = await service.call('POST', '/chats', { as: 'service', onBehalfOf: founders[0] as string, body })
    rooms.push({
      chatId: made.body.chat.chatId,
      isOpen: historyVisibility === 'all',
      firstSeq: 1,
      members: new Map(founders.map((userId) => [userId, 1])),
      messages: [],
    })
  }
  for (const op of ops) await play(service, rooms, users, op)
  return { users, rooms }
}

/** The messages of a chat that a user may see. */
export function visible({ isOpen, firstSeq, members, messages }: Room, userId: string): Said[] {
  const from = members.get(userId)
  if (from === undefined) return []
  return messages.filter(({ seq, isDeleted }) => !isDeleted && seq >= firstSeq && (isOpen || seq >= from))
}

async function play({ call, app }: Service, rooms: Room[], users: string[], op: Op): Promise<void> {
  const room = rooms[op.chat] as Room
  const { chatId, members } = room
  const [owner, userId, other] = [users[0], users[op.user], users[op.other]] as [string, string, string]
  const seen = visible(room, userId)
  const target = seen[op.pick % Math.max(1, seen.length)]
  const as = userId
  switch (op.kind) {
    case 'send':
    case 'carry':
    case 'reply':
    case 'mention': {
      if (!members.has(userId)) return
      const [word, name] = [newWord(), newWord()]
      const attachmentId = op.kind === 'carry' ? await putFile(app, chatId, userId, `${name}.txt`) : null
      const body = {
        content: op.kind === 'carry' ? `${word} ${name}` : word,
        metadata: { word },
        ...(op.kind === 'reply' && target && { replyToId: target.id }),
        ...(op.kind === 'mention' && { mentions: { userIds: [other], everyone: userId === owner } }),
        ...(attachmentId && { attachmentIds: [attachmentId] }),
      }
      const { message } = (await call('POST', `/chats/${chatId}/messages`, { as, body })).body as { message: Message }
      room.messages.push({ id: message.id, seq: message.seq, senderId: userId, word, attachmentId, isDeleted: false })
      // The name of a file is a word, too, that belongs to the message.
      if (attachmentId) room.messages.push({ ...(room.messages.at(-1) as Said), word: name, attachmentId: null })
      return
    }
    case 'edit': {
      const own = seen.find((one) => one.senderId === userId && one.attachmentId === null && isWhole(room, one))
      if (!own) return
      own.word = newWord()
      await call('PATCH', `/messages/${own.id}`, { as, body: { content: own.word, metadata: { word: own.word } } })
      return
    }
    case 'pin':
      if (target) await call('PUT', `/messages/${target.id}/pin`, { as: owner })
      return
    case 'delete': {
      if (!target || target.senderId !== userId) return
      await call('DELETE', `/messages/${target.id}`, { as })
      for (const one of room.messages) if (one.id === target.id) one.isDeleted = true
      return
    }
    case 'add':
      if (members.has(other)) return
      await call('POST', `/chats/${chatId}/members`, { as: 'service', body: { userIds: [other] } })
      members.set(other, lastSeq(room) + 1)
      return
    case 'remove':
    case 'leave':
      if (other === owner || !members.delete(other)) return
      if (op.kind === 'remove') await call('DELETE', `/chats/${chatId}/members/${other}`, { as: 'service' })
      else await call('POST', `/chats/${chatId}/leave`, { as: other })
      return
    case 'expire': {
      const through = Math.floor(lastSeq(room) * (op.pick / 2_000))
      if (through < room.firstSeq) return
      await app.chat.log.expireThrough(chatId, through)
      room.firstSeq = through + 1
      // Sometimes the rows are still there when somebody reads.
      if (op.pick % 2 === 0) await app.chat.log.clear()
    }
  }
}

const lastSeq = ({ messages }: Room): number => messages.at(-1)?.seq ?? 0
const isWhole = ({ messages }: Room, { id }: Said): boolean => messages.filter((one) => one.id === id).length === 1

/** A file that is there already, as an upload leaves it. */
async function putFile(app: Service['app'], chatId: string, userId: string, name: string): Promise<string> {
  const caller = { userId }
  const made = await app.chat.uploads.create(caller, { chatId, name, mimeType: 'text/plain', size: 4 })
  const token = made.upload.headers['x-upload-token']
  await app.chat.uploads.receive(made.attachment.id, {
    token,
    mimeType: 'text/plain',
    length: 4,
    bytes: (async function* () {
      yield Buffer.from('text')
    })(),
  })
  return made.attachment.id
}
