import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Message, MyChat } from '../../contract/shapes.js'
import type { Service } from '../helper.js'

// What somebody may not see reaches them by no way: each message says a word of its own, which is looked for in all that is answered.

/** Users and chats of a world. */
const USERS = 4
const CHATS = 2

const KINDS = {
  send: 8,
  carry: 2,
  reply: 2,
  mention: 2,
  edit: 2,
  pin: 2,
  delete: 1,
  add: 3,
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
  ops: fc.array(anyOp, { minLength: 10, maxLength: 40 }),
})

/** A message as it should be, with the word that it says now. */
interface Said {
  id: string
  seq: number
  senderId: string
  word: string
  attachmentId: string | null
  isDeleted: boolean
}

interface Room {
  chatId: string
  isOpen: boolean
  firstSeq: number
  /** From which seq on each member sees it. */
  members: Map<string, number>
  messages: Said[]
}

const WORD = /\bw[0-9a-f]{12}\b/g
const newWord = (): string => `w${randomUUID().replaceAll('-', '').slice(0, 12)}`

/** Plays a world, then has each user read by every way; answers what was wrong and how many ways were looked at. */
export async function playUnseen(service: Service, plan: WorldPlan): Promise<{ faults: string[]; looks: number }> {
  const { call, app } = service
  const users = Array.from({ length: USERS }, () => `u${randomUUID().slice(0, 8)}`)
  await app.chat.users.ensure(users.map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const owner = users[0] as string
  const rooms: Room[] = []
  for (const historyVisibility of plan.visibilities) {
    const body = { type: 'group', memberIds: users.slice(0, 2), historyVisibility }
    const made = await call('POST', '/chats', { as: 'service', onBehalfOf: owner, body })
    rooms.push({
      chatId: made.body.chat.chatId,
      isOpen: historyVisibility === 'all',
      firstSeq: 1,
      members: new Map(users.slice(0, 2).map((userId) => [userId, 1])),
      messages: [],
    })
  }
  for (const op of plan.ops) await play(service, rooms, users, op)
  const faults: string[] = []
  let looks = 0
  for (const userId of users) {
    const { found, history } = await readAll(service, rooms, userId)
    looks += found.length
    const mine = rooms.flatMap((room) => visible(room, userId))
    const words = new Set(mine.map(({ word }) => word))
    for (const [way, text] of found) {
      const leaked = [...text.matchAll(WORD)].map(([word]) => word).filter((word) => !words.has(word))
      if (leaked.length > 0) faults.push(`${way} tells ${userId} of ${leaked}`)
    }
    // So that who sees nothing at all is no proof.
    const missing = mine.filter(({ word }) => !history.includes(word))
    if (missing.length > 0) faults.push(`the history of ${userId} leaves out ${missing.map(({ seq }) => seq)}`)
    const files = await readFiles(service, rooms, userId)
    looks += files.looks
    faults.push(...files.faults)
  }
  return { faults, looks }
}

/** The messages of a chat that a user may see. */
function visible({ isOpen, firstSeq, members, messages }: Room, userId: string): Said[] {
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
      if (target && userId === owner) await call('PUT', `/messages/${target.id}/pin`, { as })
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

/** All that is answered to a user, way by way, and their history among it. */
async function readAll({ call, app }: Service, rooms: Room[], userId: string) {
  const found: [way: string, text: string][] = []
  let history = ''
  const ask = async (way: string, url: string, method: 'GET' | 'POST' = 'GET', body?: object) => {
    const answer = await call(method, url, { as: userId, ...(body && { body }) })
    found.push([way, JSON.stringify(answer.body ?? null)])
    return answer
  }
  const session: MyChat[] = (await app.chat.log.getChatsOf([userId])).get(userId) ?? []
  found.push(['session', JSON.stringify(session)])
  for (const filter of ['active', 'archived', 'unread', 'all']) await ask(`list ${filter}`, `/chats?filter=${filter}`)
  await ask('mentions', '/messages/mentions?limit=50')
  for (const { chatId, messages } of rooms) {
    await ask('chat', `/chats/${chatId}`)
    const page = await ask('history', `/chats/${chatId}/messages?limit=200`)
    history += JSON.stringify(page.body)
    await ask('pins', `/chats/${chatId}/pins?limit=50`)
    await ask('members', `/chats/${chatId}/members`)
    await ask('marks', `/chats/${chatId}/read`)
    for (const revision of [1, 5]) {
      await ask('sync', '/sync', 'POST', { chats: { [chatId]: revision }, limit: 1_000 })
    }
    for (const { id, seq, word } of messages) {
      await ask('message', `/messages/${id}`)
      await ask('around', `/chats/${chatId}/messages?aroundMessageId=${id}&limit=3`)
      await ask('before', `/chats/${chatId}/messages?beforeSeq=${seq + 1}&limit=2`)
      const hits = await ask('search', `/messages/search?query=${word}&limit=50`)
      // The query is not told back; whose word was hit is.
      found.push(['search hit', hits.body?.messages?.length > 0 ? word : ''])
    }
  }
  const kept = await call('GET', `/users/${userId}/export`, { as: 'service' })
  const lines = typeof kept.body === 'string' ? kept.body : JSON.stringify(kept.body ?? '')
  // What they wrote is theirs, wherever they wrote it.
  const own = new Set(
    rooms.flatMap(({ messages }) => messages.filter((one) => one.senderId === userId).map(({ word }) => word)),
  )
  found.push(['export', lines.replaceAll(WORD, (word) => (own.has(word) ? '' : word))])
  return { found, history }
}

/** The bytes of files go where their messages go. */
async function readFiles({ call }: Service, rooms: Room[], userId: string) {
  const faults: string[] = []
  const carried = rooms.flatMap((room) =>
    room.messages.flatMap((said) => (said.attachmentId === null ? [] : [{ room, said, id: said.attachmentId }])),
  )
  for (const { room, said, id } of carried) {
    const { status } = await call('GET', `/attachments/${id}`, { as: userId })
    const wanted = visible(room, userId).includes(said) ? 200 : 404
    if (status !== wanted) faults.push(`GET /attachments of ${said.word} answers ${userId} ${status}, not ${wanted}`)
  }
  return { faults, looks: carried.length }
}
