import type { Change, Chat, MemberChange, Message, MyChat } from './wire.js'

/** The server counts unread messages up to this. */
const CAP = 100

/** What is read of a change: as much as an event says of it. */
export interface News {
  chatId: string
  revision: number
  type?: Change['type']
  message?: Message
  member?: Pick<MemberChange, 'user' | 'role' | 'removed'>
  chat?: Pick<Chat, 'title' | 'metadata' | 'historyVisibility' | 'slowModeSeconds' | 'isFrozen'>
  throughSeq?: number
}

/** What changes leave open, the more the higher: nothing, how much is unread, or more than that. */
type Open = number
const NOTHING = 0
export const UNREAD = 1
export const ALL = 2

/**
 * What changes above a chat's revision make of it: a stretch of the log without a hole, up to `through`. In it an entity may stand once, at its last
 * change, so that what is new is told by its seq, not by the type of the change.
 */
export function reduceChat(
  chat: MyChat,
  changes: readonly News[],
  through: number,
  myId: string,
): { chat: MyChat; open: Open } {
  const messages = changes.flatMap(({ message }) => message ?? [])
  const fresh = messages.filter(({ seq }) => seq > chat.lastSeq).sort((a, b) => a.seq - b.seq)
  const draft: MyChat = { ...chat, revision: Math.max(chat.revision, through) }
  const old = messages.filter(({ seq }) => seq <= chat.lastSeq)
  const revised = old.map((message) => reviseMessage(draft, message, myId))
  const added = fresh.map((message) => addMessage(draft, message, myId))
  const rest = changes.map((change) => reduceOther(draft, change, myId))
  // What expired unheard may have been one's own, or that of others: their marks went with it.
  const isUnheard = changes.some(({ throughSeq = 0 }) => throughSeq > chat.lastSeq)
  return { chat: draft, open: isUnheard ? ALL : Math.max(NOTHING, ...revised, ...added, ...rest) }
}

/** Whether a message names somebody. */
const names = ({ mentions }: Message, userId: string): boolean => mentions.everyone || mentions.userIds.includes(userId)

/** A message takes off flags of one's own; they may have been set after it, and told before: settings are in no log. */
function addMessage(draft: MyChat, message: Message, myId: string): Open {
  const { settings } = draft
  draft.lastSeq = message.seq
  draft.lastMessage = message
  draft.settings = without(draft.settings, 'isHidden')
  draft.others = withRead(draft.others, message.sender.userId, message.seq)
  if (message.sender.userId === myId) readUpTo(draft, message.seq)
  const open = settings === draft.settings ? NOTHING : ALL
  if (message.deletedAt !== null || message.seq <= draft.lastReadSeq) return open
  if (draft.unreadCount < CAP) draft.unreadCount += 1
  else draft.unreadCapped = true
  if (names(message, myId)) draft.unreadMentions = Math.min(CAP, draft.unreadMentions + 1)
  return open
}

/** Of an older message it is not known here what it was: what is unread may be otherwise now. */
function reviseMessage(draft: MyChat, message: Message, myId: string): Open {
  const before = draft.lastMessage?.id === message.id ? draft.lastMessage : null
  if (before && before.revision < message.revision) draft.lastMessage = message
  if (message.seq <= draft.lastReadSeq || message.sender.userId === myId) return NOTHING
  if (message.deletedAt !== null) return draft.unreadCount > 0 ? UNREAD : NOTHING
  const isNamed = names(message, myId)
  if (message.editedAt === null || (before && names(before, myId) === isNamed)) return NOTHING
  return isNamed || draft.unreadMentions > 0 ? UNREAD : NOTHING
}

/** Members, rules and expiry. */
function reduceOther(draft: MyChat, { member, chat, throughSeq }: News, myId: string): Open {
  if (throughSeq !== undefined) return expire(draft, throughSeq)
  if (chat) {
    const { title, metadata, historyVisibility, slowModeSeconds, isFrozen } = chat
    const isOther = historyVisibility !== draft.historyVisibility
    // The rest of it is as it is now, and may be of a later revision.
    Object.assign(draft, { title, metadata, historyVisibility, slowModeSeconds, isFrozen })
    return isOther ? ALL : NOTHING
  }
  if (!member) return NOTHING
  const { userId } = member.user
  if (userId === myId) draft.myRole = member.role
  if (member.removed) draft.others = draft.others.filter(({ user }) => user.userId !== userId)
  // How many they are, and who the oldest: a change does not say whether somebody came or got another role.
  return ALL
}

function expire(draft: MyChat, throughSeq: number): Open {
  if (throughSeq < draft.firstSeq) return NOTHING
  draft.firstSeq = throughSeq + 1
  if (draft.lastMessage && draft.lastMessage.seq <= throughSeq) draft.lastMessage = null
  if (throughSeq < draft.lastSeq) return throughSeq > draft.lastReadSeq && draft.unreadCount > 0 ? UNREAD : NOTHING
  clearUnread(draft)
  return NOTHING
}

/** Moves the own mark of a chat that is being changed, never back; of what is left unread below its end nothing is said. */
export function readUpTo(draft: MyChat, seq: number): void {
  if (seq < draft.lastReadSeq) return
  draft.lastReadSeq = seq
  draft.settings = without(draft.settings, 'isMarkedUnread')
  if (seq >= draft.lastSeq) clearUnread(draft)
}

function clearUnread(draft: MyChat): void {
  Object.assign(draft, { unreadCount: 0, unreadCapped: false, unreadMentions: 0 })
}

/** What is unread, counted in messages that reach from one's mark to the end. */
export function countUnread(chat: MyChat, messages: readonly Message[], myId: string): MyChat {
  const unread = messages.filter(
    ({ seq, deletedAt, sender }) => seq > chat.lastReadSeq && deletedAt === null && sender.userId !== myId,
  )
  return {
    ...chat,
    unreadCount: Math.min(CAP, unread.length),
    unreadCapped: unread.length > CAP,
    unreadMentions: Math.min(CAP, unread.filter((message) => names(message, myId)).length),
  }
}

/** The others with somebody's mark moved, never back; a mark that is not told stays so. Who writes has read what stands above it. */
export function withRead(others: MyChat['others'], userId: string, seq: number): MyChat['others'] {
  const isBehind = ({ user, lastReadSeq }: MyChat['others'][number]) =>
    user.userId === userId && (lastReadSeq ?? seq) < seq
  return others.some(isBehind)
    ? others.map((other) => (isBehind(other) ? { ...other, lastReadSeq: seq } : other))
    : others
}

type Flag = 'isHidden' | 'isMarkedUnread'
const without = (settings: MyChat['settings'], flag: Flag): MyChat['settings'] =>
  settings[flag] ? { ...settings, [flag]: false } : settings
