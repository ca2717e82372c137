import type { ChatClient, ChatClientOptions } from './api.js'
import { createChats } from './chats.js'
import type { Command } from './command.js'
import { createConnection } from './connection.js'
import { toError } from './errors.js'
import { listen } from './events.js'
import { createLog } from './log.js'
import { createOutbox } from './outbox/index.js'
import { createPeople, usersOf, withProfile, withSender } from './people.js'
import { createPresence } from './presence.js'
import { createReads } from './reads.js'
import { createRoom, type OpenRoom } from './room.js'
import { createSource, isSame } from './store.js'
import type { ErrorBody, Message, Output, Session, User } from './wire.js'

export type * from './api.js'
export type { ClientErrorBody, ClientErrorCode } from './errors.js'
export { ChatClientError } from './errors.js'
export type { ChatSocket } from './stock.js'
export type * from './wire.js'

/** A client of the service: it connects at once, and keeps what it shows true until it is closed. */
export function createChatClient(options: ChatClientOptions): ChatClient {
  const url = (options.url ?? '').replace(/\/$/, '')
  const link = createConnection(options)
  const { socket, command, isIn } = link
  const me = createSource<User | null>(null)
  const blockedUserIds = createSource<string[]>([])
  const people = createPeople()
  const chats = createChats()
  const rooms = new Map<string, OpenRoom>()
  const roomOf = (chatId: string) => rooms.get(chatId)
  const myId = (): string => me.get()?.userId ?? ''

  const reads = createReads({ command, chats, isIn, log: () => log })
  const presence = createPresence(command, isIn)
  const log = createLog({
    command,
    chats,
    isIn,
    myId,
    roomOf,
    gone,
    overlay: reads.overlay,
    caughtUp: link.rise,
  })
  const outbox = createOutbox({ send, connection: link.state, me, storage: options.storage, namespace: url })

  async function send({ chatId, key, draft }: { chatId: string; key: string; draft: object }): Promise<Message> {
    const { message } = await command('send_message', { chatId, clientMessageId: key, ...draft })
    rooms.get(chatId)?.offer(message)
    return message
  }

  function gone(chatId: string): void {
    chats.drop(chatId)
    rooms.get(chatId)?.clear()
  }

  /** Shows new profiles wherever they stand. */
  function meet(users: Iterable<User>, areNews?: boolean): void {
    for (const user of people.meet(users, areNews)) {
      for (const chat of chats.byId.values()) chats.put(withProfile(chat, user))
      for (const room of rooms.values()) room.rewrite((message) => withSender(message, user))
    }
  }

  function begin({ user, chats: list, blockedUserIds: blocked }: Session): void {
    const isAnother = me.get() !== null && myId() !== user.userId
    me.set(user)
    if (!isSame(blocked, blockedUserIds.get())) blockedUserIds.set(blocked)
    const ids = new Set(list.map(({ chatId }) => chatId))
    for (const [chatId, room] of rooms) if (isAnother || !ids.has(chatId)) room.clear()
    chats.replace(list.map(reads.overlay))
    meet([user, ...list.flatMap(usersOf)])
    link.enter()
    for (const room of rooms.values()) room.begin()
    presence.begin()
    reads.begin()
    log.begin()
  }

  listen(socket, { chats, log, outbox, presence, reads, people: { me, meet }, roomOf, begin, gone })
  socket.connect()
  /** A command of the app: whom one blocks, and how one is, no event tells who did it. */
  const call: Command = async (name, input) => {
    const output = await command(name, input)
    if ('blockedUserIds' in output) blockedUserIds.set(output.blockedUserIds)
    if ('presence' in output) presence.hear([output.presence])
    return output
  }

  const attachmentUrl = (attachmentId: string): string => `${url}/attachments/${encodeURIComponent(attachmentId)}`

  return {
    connection: link.state,
    me,
    chats: chats.list,
    unread: chats.unread,
    blockedUserIds,
    outbox,
    users: people.users,
    presenceOf: presence.of,
    command: call,
    connect: link.connect,

    room(chatId) {
      let open = rooms.get(chatId)
      if (!open) {
        open = createRoom(chatId, { command, link, chats, me, outbox, attachmentUrl, read: reads.read, onPage })
        rooms.set(chatId, open)
      }
      return open.room
    },

    attachmentUrl,

    async download(attachmentId) {
      const answer = await fetch(attachmentUrl(attachmentId), {
        headers: { authorization: `Bearer ${await link.token()}` },
      })
      if (answer.ok) return answer.blob()
      const { error }: { error: ErrorBody } = await answer.json()
      throw toError(error)
    },

    async close({ forget = false } = {}) {
      await outbox.close(forget)
      if (socket.connected && forget) await command('logout', {}).catch(() => {})
      link.close()
      chats.end()
    },
  }

  function onPage(chatId: string, { messages, revision }: Output<'get_messages'>): void {
    meet(
      messages.map(({ sender }) => sender),
      false,
    )
    for (const message of messages) outbox.settle(message)
    const chat = chats.byId.get(chatId)
    if (chat && revision < chat.revision) log.fallBehind(chatId, chat.revision)
  }
}
