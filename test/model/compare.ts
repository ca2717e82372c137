import { isDeepStrictEqual } from 'node:util'
import type { Message, MyChat, Other } from '../../contract/shapes.js'
import { CHAT_FILTERS, type ChatFilter } from '../../contract/words.js'
import type { ModelChat, ModelLine, ModelMessage } from './model.js'
import type { Model } from './steps.js'
import type { World } from './world.js'

/** A message of the model. */
export function toView(message: ModelMessage, revision = message.revision) {
  const { seq, senderId, key, content, metadata, mentions, replyToId, replyToSeq } = message
  const { isEdited, isDeleted, isPinned } = message
  const reactions = message.reactions.map(({ emoji, userIds }) => ({ emoji, count: userIds.length, userIds }))
  const said = { content, metadata, mentions, replyToId, replyToSeq, reactions }
  return { seq, revision, senderId, key, ...said, isEdited, isDeleted, isPinned }
}

/** A message of the service, as the model has it. */
export function viewOf(message: Message) {
  const { seq, revision, content, metadata, mentions, replyToId, replyToSeq, reactions } = message
  const said = { content, metadata, mentions, replyToId, replyToSeq, reactions }
  const isEdited = message.editedAt !== null
  const isDeleted = message.deletedAt !== null
  const isPinned = message.pinnedAt !== null
  const senderId = message.sender.userId
  return { seq, revision, senderId, key: message.clientMessageId, ...said, isEdited, isDeleted, isPinned }
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
export function toLine({ revision, kind, entity, actorId, throughSeq }: ModelLine) {
  const type = TYPES[kind]
  if (throughSeq !== undefined) return { revision, type, actorId, throughSeq }
  if (entity === null) return { revision, type, actorId }
  if (typeof entity === 'string') return { revision, type, actorId, userId: entity, removed: kind === 'member_removed' }
  return { revision, type, actorId, message: toView(entity, revision) }
}

/** A change that sync answered. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export function lineOf({ revision, type, actorId, message, member, throughSeq }: any) {
  if (throughSeq !== undefined) return { revision, type, actorId, throughSeq }
  if (message) return { revision, type, actorId, message: viewOf(message) }
  if (member) return { revision, type, actorId, userId: member.user.userId, removed: member.removed }
  return { revision, type, actorId }
}

/** A chat as one member sees it, as far as the model knows. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export function toMine({ others, ...chat }: any) {
  const { chatId, revision, firstSeq, lastSeq, memberCount, myRole, lastReadSeq, unreadCount, settings } = chat
  const marks = others.map((other: Other) => [other.user.userId, other.lastReadSeq])
  const read = { lastReadSeq, unreadCount, settings, others: marks }
  return { chatId, revision, firstSeq, lastSeq, memberCount, myRole, ...read }
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
    const mentioned = await world.call('list_mentions', { limit: 50 }, userId, 'rest')
    same(
      `mentions of ${userId}`,
      mentioned.ok ? mentioned.data.messages.map(({ id }: Message) => id) : mentioned.code,
      model.mentionsOf(userId).map(({ id }) => id),
    )
    await compareLists(model, userId, world)
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
        const { content, metadata, mentions, pinnedAt, reactions } = message
        const said = [content, metadata, mentions.userIds, mentions.everyone, pinnedAt, reactions]
        if (isHidden) same(`what ${userId} may not see`, said, [null, null, [], false, null, []])
        else same(`what ${userId} was told of`, viewOf(message), toView(real))
      }
    }
  }
}

const LISTS: Record<ChatFilter, (chat: Pick<MyChat, 'settings' | 'unreadCount'>) => boolean> = {
  all: () => true,
  active: ({ settings }) => !settings.isArchived && !settings.isHidden,
  archived: ({ settings }) => settings.isArchived,
  unread: (chat) => LISTS.active(chat) && (chat.unreadCount > 0 || chat.settings.isMarkedUnread),
}

/** The lists of a user’s chats hold what they should, page by page, pinned ones first. */
async function compareLists(model: Model, userId: string, world: World): Promise<void> {
  for (const filter of CHAT_FILTERS) {
    const found: MyChat[] = []
    for (let cursor: string | null = null; ; ) {
      const input = { filter, limit: 1, ...(cursor !== null && { cursor }) }
      const answer = await world.call('list_chats', input, userId, 'rest')
      if (!answer.ok) throw new Error(answer.code)
      found.push(...answer.data.chats)
      cursor = answer.data.nextCursor
      if (cursor === null) break
    }
    const pinned = found.map(({ settings }) => Number(settings.isPinned))
    same(`the order of ${filter} of ${userId}`, pinned, [...pinned].sort().reverse())
    same(`${filter} chats of ${userId}`, byId(found.map(toMine)), byId(model.myChats(userId).filter(LISTS[filter])))
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
