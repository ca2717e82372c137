import type { EventName } from '../../contract/events.js'
import type { Change, MemberChange, Message, MyChat } from '../../contract/shapes.js'
import type { ClientSocket } from '../helper.js'
import type { History, Seen, Stay, SyncPage } from './checker.js'

/** Where a user's client stands. */
export interface Stand {
  /** What the live connection is in, by chat. */
  here: Map<string, Stay>
  /** The last revision of each chat that any connection before this one saw. */
  last: Map<string, number>
}

/** Milliseconds of the one clock of a history. */
export const now = () => performance.now()

/** What all clients of a run do and see, as the checker takes it; the database's half is put in at the end. */
export type Recorder = ReturnType<typeof createRecorder>

export function createRecorder() {
  const history: History = {
    sends: [],
    edits: [],
    reactions: [],
    stays: [],
    strays: [],
    pages: [],
    chats: [],
    log: [],
    messages: [],
  }
  const count = { connections: 0, disconnections: 0, deliveries: 0 }

  return {
    history,
    count,

    /** Writes down all that a socket is told of chats, from its first connection on; answers where it stands. */
    watch(userId: string, socket: ClientSocket): Stand {
      const here = new Map<string, Stay>()
      const last = new Map<string, number>()
      let openedAt = now()

      function enter({ chatId, revision }: MyChat, opened?: number): void {
        const stay: Stay = {
          userId,
          chatId,
          node: nodeOf(socket),
          after: revision,
          ...(opened !== undefined && { openedAt: opened }),
          events: [],
          isLive: false,
        }
        history.stays.push(stay)
        here.set(chatId, stay)
      }

      function see(chatId: string, seen: Seen): void {
        count.deliveries += 1
        const stay = here.get(chatId)
        if (stay) stay.events.push(seen)
        else history.strays.push({ userId, chatId, event: seen.event, revision: seen.revision })
      }

      const seeMessage = (event: EventName) => (message: Message) =>
        see(message.chatId, { event, revision: message.revision, entity: message.id, seq: message.seq })

      socket.io.on('open', () => {
        openedAt = now()
      })
      socket.on('disconnect', () => {
        count.disconnections += 1
        for (const [chatId, stay] of here) last.set(chatId, positionOf(stay))
        here.clear()
      })
      socket.on('session', ({ chats }) => {
        count.connections += 1
        for (const chat of chats) enter(chat, openedAt)
      })
      socket.on('chat_added', (chat) => enter(chat))
      socket.on('chat_removed', ({ chatId, revision }) => {
        const stay = here.get(chatId)
        if (!stay) history.strays.push({ userId, chatId, event: 'chat_removed', revision })
        else stay.removedBy = revision
        here.delete(chatId)
      })
      for (const event of ['new_message', 'message_updated', 'message_deleted'] as const) {
        socket.on(event, seeMessage(event))
      }
      socket.on('member_changed', ({ chatId, revision, user }: MemberChange) =>
        see(chatId, { event: 'member_changed', revision, entity: user.userId }),
      )
      socket.on('chat_updated', ({ chatId, revision }) => see(chatId, { event: 'chat_updated', revision }))
      socket.on('messages_expired', ({ chatId, revision }) => see(chatId, { event: 'messages_expired', revision }))
      return { here, last }
    },

    /** Writes down one page of sync. */
    page(page: Omit<SyncPage, 'changes'>, changes: Change[]): void {
      history.pages.push({
        ...page,
        changes: changes.map((change) => ({ revision: change.revision, entity: entityOf(change) })),
      })
    },
  }
}

/** The node that a client is connected to, or tries next: its URL. */
export const nodeOf = (socket: ClientSocket): string => String(Reflect.get(socket.io, 'uri'))

const entityOf = ({ message, member }: Change): string => message?.id ?? member?.user.userId ?? 'chat'

/** The last revision that a connection saw of a chat. */
export const positionOf = ({ after, events }: Stay): number => events.at(-1)?.revision ?? after
