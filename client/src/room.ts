import type { Entry, OutboxEntry, Room, Store } from './api.js'
import type { Chats } from './chats.js'
import type { Command } from './command.js'
import type { Link } from './connection.js'
import { localError, retryIn, toError } from './errors.js'
import { createHistory } from './history.js'
import type { RoomLog } from './log.js'
import { createChanges, overlay, type PendingChange } from './optimistic/index.js'
import type { createOutbox } from './outbox/index.js'
import type { News } from './reduce-chat.js'
import { createSource, derive, isSame } from './store.js'
import { createTyping } from './typing.js'
import type { UploadPort } from './upload.js'
import type { Message, Output, User } from './wire.js'

export interface RoomPort extends Omit<UploadPort, 'errors'> {
  command: Command
  link: Pick<Link, 'ready' | 'isIn'>
  chats: Chats
  me: Store<User | null>
  outbox: ReturnType<typeof createOutbox>
  read(chatId: string, upToSeq: number): void
  onPage(chatId: string, page: Output<'get_messages'>): void
}

/** A room as the rest of the client has it. */
export interface OpenRoom extends RoomLog {
  room: Room
  offer(message: Message): void
  hearTyping(userId: string, isTyping: boolean): void
  hearRead(userId: string, lastReadSeq: number): void
  rewrite(change: (message: Message) => Message): void
  /** There is a new session: what is not in the log is asked for again. */
  begin(): void
  clear(): void
}

const errors = { toError, localError, retryIn }

type Numbers = Readonly<Record<string, number>>

/** One chat while somebody looks at it. */
export function createRoom(chatId: string, port: RoomPort): OpenRoom {
  const { command, chats, me, outbox } = port
  const typing = createTyping(chatId, command)
  const seen = createSource<Numbers>({})
  const chat = derive([chats.version], () => chats.byId.get(chatId) ?? null)
  let hasMarks = false

  const history = createHistory(chatId, {
    command,
    link: port.link,
    onPage(page) {
      port.onPage(chatId, page)
      if (!hasMarks) void askMarks()
    },
  })

  const { pending, run: change, settle } = createChanges(history.offer)

  const byUser = derive(
    [chat, seen, me],
    (mine, further, self) => {
      const marks: Record<string, number> = { ...further }
      for (const { user, lastReadSeq } of mine?.others ?? [])
        if (lastReadSeq !== null) marks[user.userId] = Math.max(lastReadSeq, marks[user.userId] ?? 0)
      if (self) delete marks[self.userId]
      return marks
    },
    isSame,
  )
  const marks = derive([byUser], (byUser) => ({
    byUser,
    readBy: (upToSeq: number) => Object.keys(byUser).filter((userId) => (byUser[userId] ?? 0) >= upToSeq),
  }))

  function hearRead(userId: string, lastReadSeq: number): void {
    if ((seen.get()[userId] ?? -1) < lastReadSeq) seen.set({ ...seen.get(), [userId]: lastReadSeq })
  }

  /** In larger chats the list does not tell how far all have read. */
  async function askMarks(): Promise<void> {
    const mine = chat.get()
    if (!mine || mine.memberCount <= mine.others.length + 1) return
    hasMarks = true
    // Where they are too many, marks are not told at all.
    const answer = await command('get_read_marks', { chatId }).catch(() => null)
    for (const { userId, lastReadSeq } of answer?.marks ?? []) hearRead(userId, lastReadSeq)
  }

  const stored = new WeakMap<Message, Entry>()
  function toEntry(message: Message, pending: readonly PendingChange[]): Entry {
    const shown = overlay(message, pending)
    const known = stored.get(shown)
    if (known) return known
    const isMine = message.sender.userId === me.get()?.userId
    const key = (isMine && message.clientMessageId) || message.id
    const entry: Entry = { status: 'stored', key, message: shown, isOptimistic: shown !== message }
    stored.set(shown, entry)
    return entry
  }

  // Where another message has the key, that one is shown under it.
  const toPending = (pending: OutboxEntry): Entry => ({
    status: pending.status,
    key: pending.error?.code === 'IDEMPOTENCY_CONFLICT' ? `${pending.key} refused` : pending.key,
    pending,
  })
  const ofStored = derive([history.page, history.early, pending, me], ({ messages }, early, pending) =>
    [...messages, ...early].map((message) => toEntry(message, pending)),
  )
  const waiting = derive([outbox], (all) => all.filter((entry) => entry.chatId === chatId).map(toPending), isSame)
  const entries = derive([ofStored, waiting], (above, below) => {
    if (below.length === 0) return above
    const keys = new Set(above.map(({ key }) => key))
    return [...above, ...below.filter(({ key }) => !keys.has(key))]
  })

  const room: Room = {
    chatId,
    chat,
    entries,
    marks,
    typing: typing.ids,
    ...history.ofRoom,
    send(draft) {
      typing.stop()
      return outbox.add(chatId, draft)
    },
    edit: (messageId, input) =>
      change({ messageId, kind: 'edit', change: input }, () => command('edit_message', { messageId, ...input })),
    remove: (messageId) => change({ messageId, kind: 'remove' }, () => command('delete_message', { messageId })),
    react: (messageId, emoji, on = true) =>
      change({ messageId, kind: 'react', emoji, on, userId: me.get()?.userId ?? '' }, () =>
        command(on ? 'add_reaction' : 'remove_reaction', { messageId, emoji }),
      ),
    pin: (messageId, on = true) =>
      change({ messageId, kind: 'pin', on }, () => command(on ? 'pin_message' : 'unpin_message', { messageId })),
    read: (upToSeq) => port.read(chatId, upToSeq),
    type: typing.type,
    // Not before somebody sends a file.
    upload: async (...args) => (await import('./upload.js')).upload({ ...port, errors }, chatId, ...args),
  }

  return {
    ...history,
    room,
    hearRead,
    hearTyping: typing.hear,

    advance(news: readonly News[], through, isLive) {
      history.advance(news, through, isLive)
      for (const { message, member, type } of news) {
        if (message) {
          const { userId } = message.sender
          const isNew = type === 'message_created'
          settle(message)
          if (isNew) typing.hear(userId, false)
          if (isNew || userId in seen.get()) hearRead(userId, message.seq)
        }
        if (member?.removed) {
          const { [member.user.userId]: _gone, ...rest } = seen.get()
          seen.set(rest)
        }
      }
    },

    begin() {
      typing.clear()
      history.begin()
      if (hasMarks) void askMarks()
    },

    clear() {
      typing.clear()
      seen.set({})
      history.clear()
    },
  }
}
