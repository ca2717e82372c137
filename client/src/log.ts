import type { Chats } from './chats.js'
import type { Command } from './command.js'
import { ChatClientError, pause, retryIn } from './errors.js'
import { ALL, countUnread, type News, reduceChat, UNREAD } from './reduce-chat.js'
import type { Message, MyChat } from './wire.js'

/** What sync takes in one call. */
const MAX_CHATS = 500
const RETRY_MS = 1_000
/** What only the server can say is asked for once for all that comes together. */
const DOUBT_MS = 200

/** What the log needs of a room: its messages have a revision of their own, as pages of history are read at some time. */
export interface RoomLog {
  /** Null while there are no messages, or they are to be read anew. */
  revision(): number | null
  advance(changes: readonly News[], through: number, isLive: boolean): void
  /** The messages from a seq to the end of the chat; null where not all of them are here. */
  from(seq: number): readonly Message[] | null
  reload(): Promise<void>
}

export interface LogPort {
  command: Command
  chats: Chats
  isIn(): boolean
  myId(): string
  roomOf(chatId: string): RoomLog | undefined
  /** One is no longer in a chat. */
  gone(chatId: string): void
  /** What one has done to a chat that the server may not know yet. */
  overlay(chat: MyChat): MyChat
  /** Nothing is behind. */
  caughtUp(): void
}

export type ChatLog = ReturnType<typeof createLog>

const isAbsent = (error: unknown) => error instanceof ChatClientError && error.code === 'NOT_FOUND'
const waitOf = (error: unknown) => retryIn(error, RETRY_MS) ?? RETRY_MS

/**
 * The one way of logged changes into the state. At or below what is known: dropped; the next one: applied; anything else: `sync` tells what is
 * between. A chat and its room each know how far they are.
 */
export function createLog({ command, chats, isIn, myId, roomOf, gone, overlay, caughtUp }: LogPort) {
  /** Chats that are behind, and the revision that each is known to have. */
  const behind = new Map<string, number>()
  const unsure = new Set<string>()
  const asking = new Set<string>()
  let isSyncing = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function knownOf(chatId: string): number {
    const chat = chats.byId.get(chatId)
    return chat ? Math.min(chat.revision, roomOf(chatId)?.revision() ?? Infinity) : Infinity
  }

  /** A stretch of a chat's log, without a hole from what is known. */
  function advance(chatId: string, changes: readonly News[], through: number, isLive: boolean): void {
    const room = roomOf(chatId)
    room?.advance(changes, through, isLive)
    const chat = chats.byId.get(chatId)
    if (!chat || through <= chat.revision) return
    const fresh = changes.filter(({ revision }) => revision > chat.revision)
    const { chat: next, open } = reduceChat(chat, fresh, through, myId())
    if (open === UNREAD) recount(next)
    else chats.put(next)
    if (open === ALL) doubt(chatId)
    if (next.historyVisibility !== chat.historyVisibility && room?.revision() != null) void room.reload()
  }

  /** Puts a chat whose unread messages are to be counted anew: here where they are all at hand. */
  function recount(chat: MyChat): void {
    const messages = roomOf(chat.chatId)?.from(Math.max(chat.lastReadSeq + 1, chat.firstSeq))
    // A room may be further on than its chat.
    const isWhole = messages?.at(-1)?.seq === chat.lastSeq
    chats.put(isWhole ? countUnread(chat, messages, myId()) : chat)
    if (!isWhole && chat.unreadCount > 0) doubt(chat.chatId)
  }

  function fallBehind(chatId: string, revision: number): void {
    behind.set(chatId, Math.max(revision, behind.get(chatId) ?? 0))
    void catchUp()
  }

  async function catchUp(): Promise<void> {
    if (isSyncing) return
    isSyncing = true
    while (isIn()) {
      for (const [chatId, revision] of behind) if (knownOf(chatId) >= revision) behind.delete(chatId)
      if (behind.size === 0) break
      const asked = new Map([...behind].slice(0, MAX_CHATS))
      await ask(asked).catch((error) => (isIn() ? pause(waitOf(error)) : undefined))
    }
    isSyncing = false
    if (isIn()) caughtUp()
  }

  async function ask(asked: Map<string, number>): Promise<void> {
    const since = Object.fromEntries([...asked.keys()].map((chatId) => [chatId, knownOf(chatId)]))
    const { chats: answers } = await command('sync', { chats: since })
    for (const [chatId, answer] of Object.entries(answers)) {
      if ('changes' in answer) {
        advance(chatId, answer.changes, answer.through, false)
        // Nothing more, and what was told of is not among it: it was never there.
        if (!answer.more && behind.get(chatId) === asked.get(chatId)) behind.delete(chatId)
      } else if (knownOf(chatId) === since[chatId]) {
        behind.delete(chatId)
        if ('gone' in answer) gone(chatId)
        else await reset(chatId)
      }
    }
  }

  /** A chat is read anew. */
  async function reset(chatId: string): Promise<void> {
    const reloaded = roomOf(chatId)?.reload()
    await read(chatId, true)
    await reloaded
  }

  async function read(chatId: string, isReset = false): Promise<void> {
    asking.add(chatId)
    unsure.delete(chatId)
    const before = chats.byId.get(chatId)?.revision
    try {
      const { chat } = await command('get_chat', { chatId })
      const known = chats.byId.get(chatId)
      if (known && (isReset || known.revision <= chat.revision)) chats.put(overlay(chat))
      else if (known) doubt(chatId)
      if (unsure.has(chatId)) doubt(chatId)
    } catch (error) {
      // Out of it, unless one was told since that one is in again.
      if (isAbsent(error) && chats.byId.get(chatId)?.revision === before) gone(chatId)
      else if (isIn()) doubt(chatId, waitOf(error))
    } finally {
      asking.delete(chatId)
    }
  }

  /** Something of a chat is not known for sure: it is asked for, soon. */
  function doubt(chatId: string, afterMs = DOUBT_MS): void {
    unsure.add(chatId)
    if (timer !== undefined) return
    timer = setTimeout(async () => {
      for (const id of [...unsure]) if (isIn()) await read(id)
      timer = undefined
      const next = unsure.values().next().value
      if (next !== undefined && isIn()) doubt(next)
    }, afterMs)
  }

  return {
    advance,
    recount,
    fallBehind,
    doubt,

    /** A change that an event told. */
    hear(change: News): void {
      const { chatId, revision } = change
      const known = knownOf(chatId)
      if (revision === known + 1) advance(chatId, [change], revision, true)
      else if (revision > known) fallBehind(chatId, revision)
    },

    /** Something of a chat changed that has no revision: what is being read of it may be older. */
    touch(chatId: string): void {
      if (asking.has(chatId)) unsure.add(chatId)
    },

    /** All chats were told anew; rooms catch up with them. */
    begin(): void {
      unsure.clear()
      behind.clear()
      for (const { chatId, revision } of chats.byId.values()) {
        const room = roomOf(chatId)
        const known = room?.revision() ?? revision
        if (known < revision) behind.set(chatId, revision)
        // The server's past is another one.
        if (known > revision) void room?.reload()
      }
      void catchUp()
    },
  }
}
