import { messageId, Refusal, toChat, toMessage, toUser } from './mapping.js'
import type { OldMember, OldMessage, Source } from './source.js'
import type { createTarget, NewChat, NewMark } from './target.js'

/** What became of the rows of a model. */
export interface Count {
  read: number
  /** New here by this run. */
  taken: number
  /** Here already, by an earlier run or otherwise. */
  present: number
  refused: Record<string, number>
}

export type Report = Record<'users' | 'chats' | 'members' | 'messages', Count> & { readMarks: number }

export interface ImportOptions {
  source: Source
  target: ReturnType<typeof createTarget>
  /** Where our users are a host's view, none is written. */
  skipUsers: boolean
  onProgress?: (what: string, done: number) => void
}

const CHATS_AT_ONCE = 500
const MARKS_AT_ONCE = 5_000

/** Copies an old service: users, chats with their members, messages in their order, read marks. What is here already is left as it is. */
export async function importAll({ source, target, skipUsers, onProgress = () => {} }: ImportOptions): Promise<Report> {
  const report: Report = { users: none(), chats: none(), members: none(), messages: none(), readMarks: 0 }

  const userIds = new Set<string>()
  for await (const page of source.users()) {
    const rows = keep(report.users, page, toUser)
    for (const { id } of rows) userIds.add(id)
    settle(report.users, rows.length, skipUsers ? 0 : await target.users(rows))
    onProgress('users', report.users.read)
  }

  const membersOf = new Map<string, OldMember[]>()
  for await (const page of source.members()) {
    const rows = keep(report.members, page, (member) => {
      if (!userIds.has(member.userId)) throw new Refusal('its user is not taken')
      return member
    })
    for (const member of rows) {
      const members = membersOf.get(member.chatId) ?? []
      if (!members.some(({ userId }) => userId === member.userId)) members.push(member)
      membersOf.set(member.chatId, members)
    }
  }

  const chatIds = new Set<string>()
  for await (const page of source.chats()) {
    const chats = keep(report.chats, page, (chat) => toChat(chat, membersOf.get(chat.id) ?? []))
    for (const rows of slices(chats, CHATS_AT_ONCE)) await takeChats(rows)
    onProgress('chats', report.chats.read)
  }

  async function takeChats(rows: NewChat[]): Promise<void> {
    const { made, members } = await target.chats(rows)
    settle(report.chats, rows.length, made)
    settle(report.members, rows.flatMap((chat) => chat.members).length, members)
    for (const { id } of rows) chatIds.add(id)
  }

  const lastRead = new Map<string, Map<string, string>>()
  for await (const page of source.messages()) {
    const rows = keep(report.messages, page, (message) => {
      if (!chatIds.has(message.chatId)) throw new Refusal('its chat is not taken')
      return toMessage(message)
    })
    settle(report.messages, rows.length, await target.messages(rows))
    noteReads(lastRead, page)
    onProgress('messages', report.messages.read)
  }

  const marks = [...membersOf.values()].flat().filter(({ chatId }) => chatIds.has(chatId))
  for (const rows of slices(marks, MARKS_AT_ONCE)) {
    report.readMarks += await target.marks(rows.map((member) => toMark(source, member, lastRead)))
  }
  return report
}

const none = (): Count => ({ read: 0, taken: 0, present: 0, refused: {} })

/** The rows that can be taken, mapped; the others are counted by their reason. */
function keep<Old, New>(count: Count, page: Old[], map: (row: Old) => New): New[] {
  return page.flatMap((row) => {
    count.read += 1
    try {
      return [map(row)]
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      count.refused[error.message] = (count.refused[error.message] ?? 0) + 1
      return []
    }
  })
}

function settle(count: Count, given: number, fresh: number): void {
  count.taken += fresh
  count.present += given - fresh
}

function* slices<T>(rows: T[], size: number): Iterable<T[]> {
  for (let i = 0; i < rows.length; i += size) yield rows.slice(i, i + size)
}

/** Of each chat, the last message of each sender that somebody has read; messages come in their order. */
function noteReads(lastRead: Map<string, Map<string, string>>, page: OldMessage[]): void {
  for (const { id, chatId, senderId, isRead } of page) {
    if (!isRead || senderId === null) continue
    const ofChat = lastRead.get(chatId) ?? new Map<string, string>()
    ofChat.delete(senderId)
    lastRead.set(chatId, ofChat.set(senderId, messageId(id)))
  }
}

/** How far a member has read: by their own time, else by flags on messages of others, else to the end. */
function toMark(
  source: Source,
  { chatId, userId, lastReadAt }: OldMember,
  lastRead: Map<string, Map<string, string>>,
): NewMark {
  const byTime = { chatId, userId, lastReadId: null, isByFlags: false }
  const [knowsTime, knowsFlags] = [source.knows.has('ChatMember.lastReadAt'), source.knows.has('Message.isRead')]
  // Who has no time of their own may have flags, and has read nothing where there are none.
  if (knowsTime && (lastReadAt !== null || !knowsFlags)) return { ...byTime, readAt: lastReadAt }
  if (!knowsFlags) return { ...byTime, readAt: 'infinity' }
  const ofOthers = [...(lastRead.get(chatId) ?? [])].filter(([senderId]) => senderId !== userId)
  return { chatId, userId, readAt: null, lastReadId: ofOthers.at(-1)?.[1] ?? null, isByFlags: true }
}
