import { isDeepStrictEqual } from 'node:util'
import type { Message } from '../../contract/shapes.js'
import type { ModelChat, ModelLine, ModelMessage } from './model.js'
import type { Model } from './steps.js'
import type { World } from './world.js'

/** A message of the model. */
export function toView(message: ModelMessage, revision = message.revision) {
  const { seq, senderId, key, content, replyToId, isEdited } = message
  const reactions = message.reactions.map(({ emoji, userIds }) => ({ emoji, count: userIds.length, userIds }))
  return { seq, revision, senderId, key, content, replyToId, isEdited, reactions }
}

/** A message of the service, as the model has it. */
export function viewOf({ seq, revision, sender, clientMessageId, content, replyToId, editedAt, reactions }: Message) {
  const senderId = sender.userId
  return { seq, revision, senderId, key: clientMessageId, content, replyToId, isEdited: editedAt !== null, reactions }
}

const TYPES = {
  chat_created: 'chat_updated',
  message_created: 'message_created',
  message_updated: 'message_updated',
  message_deleted: 'message_deleted',
  member_added: 'member_changed',
  member_removed: 'member_changed',
  member_role: 'member_changed',
  member_muted: 'member_changed',
  chat_updated: 'chat_updated',
  messages_expired: 'messages_expired',
}

/** A line of the model's log, as `lineOf` has one of the service. */
export function toLine({ revision, kind, entity, throughSeq }: ModelLine) {
  const type = TYPES[kind]
  if (throughSeq !== undefined) return { revision, type, throughSeq }
  if (entity === null) return { revision, type }
  if (typeof entity === 'string') return { revision, type, userId: entity, removed: kind === 'member_removed' }
  return { revision, type, message: toView(entity, revision) }
}

/** A change that sync answered. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export function lineOf({ revision, type, message, member, throughSeq }: any) {
  if (throughSeq !== undefined) return { revision, type, throughSeq }
  if (message) return { revision, type, message: viewOf(message) }
  if (member) return { revision, type, userId: member.user.userId, removed: member.removed }
  return { revision, type }
}

/** A chat as one member sees it, as far as the model knows. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export function toMine({ chatId, revision, firstSeq, lastSeq, memberCount, myRole, lastReadSeq, unreadCount }: any) {
  return { chatId, revision, firstSeq, lastSeq, memberCount, myRole, lastReadSeq, unreadCount }
}

/** By id, which has no other order. */
export const byId = <T extends { chatId: string }>(chats: T[]) => chats.sort((a, b) => (a.chatId < b.chatId ? -1 : 1))

/** Throws unless two things are the same. */
export function same(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return
  throw new Error(`${what}:\n  found  ${JSON.stringify(found)}\n  wanted ${JSON.stringify(wanted)}`)
}

/** At the end: history, unread, a whole sync, and what every socket was told. */
export async function compareAll(model: Model, world: World): Promise<void> {
  for (const userId of world.users) {
    const { data } = (await world.call('list_chats', {}, userId, 'rest')) as { data: { chats: never[] } }
    same(`chats of ${userId}`, byId(data.chats.map(toMine)), byId(model.myChats(userId)))
    for (const chat of model.chats) {
      const history = chat.history(userId)
      const read = await world.call('get_messages', { chatId: chat.chatId, limit: 200 }, userId, 'rest')
      const found = read.ok ? read.data.messages.map(viewOf) : read.code
      same(
        `history of ${chat.chatId} for ${userId}`,
        found,
        history.ok ? history.value.map((one) => toView(one)) : history.code,
      )
      if (history.ok) await compareFold(chat, userId, world)
    }
  }
  for (const { userId, told } of world.devices) {
    for (const chat of model.chats.filter(({ members }) => members.has(userId))) {
      for (const [id, message] of told.get(chat.chatId) ?? []) {
        const real = chat.messages.find((one) => one.id === id) as ModelMessage
        // What was told before it expired is the client's to forget.
        if (real.seq < chat.firstSeq) continue
        const isHidden = real.seq < chat.firstSeqFor(userId)
        if (isHidden) same(`what ${userId} may not see`, [message.content, message.reactions], [null, []])
        else same(`what ${userId} was told of`, viewOf(message), toView(real))
      }
    }
  }
}

/** Pages of sync, folded, are the messages as they are. */
async function compareFold(chat: ModelChat, userId: string, world: World): Promise<void> {
  const start = (chat.members.get(userId)?.joinedRevision ?? 1) - 1
  const folded = new Map<string, Message>()
  for (let after = start, more = true; more; ) {
    const answer = await world.call('sync', { chats: { [chat.chatId]: after }, limit: 7 }, userId, 'rest')
    if (!answer.ok) throw new Error(answer.code)
    const page = answer.data.chats[chat.chatId]
    for (const { message } of page.changes) if (message) folded.set(message.id, message)
    after = page.through
    more = page.more
  }
  const changed = chat.messages.filter((one) => one.revision > start && one.seq >= chat.firstSeqFor(userId))
  const inOrder = [...folded.values()].sort((a, b) => a.seq - b.seq)
  same(
    `sync of ${chat.chatId} for ${userId}`,
    inOrder.map(viewOf),
    changed.map((one) => toView(one)),
  )
}
