import type { ChatSocket } from '../../client/src/stock.js'
import { type ConnectionState, createConnection } from '../connection.js'
import { createConversation } from '../conversation/index.js'
import type { Room } from '../conversation/room.js'
import { copyOf } from '../dom.js'
import { createChatList } from './chat-list.js'
import { createComposer } from './composer.js'
import { createMessageList } from './message-list.js'
import { nameOf } from './names.js'
import { createPerson } from './person.js'

/** What a pane is made from. */
export interface PaneOptions {
  socket: ChatSocket
  /** What the person is called before the server has said. */
  name: string
  /** Called after whatever may be shown elsewhere has changed. */
  onChange(): void
  /** Called when the server refuses whom it has never let in. */
  onRefused?(why: string): void
}

export type Pane = ReturnType<typeof createPane>

/** One person's side: their chats, the open one's messages, and what they write. */
export function createPane({ socket, name, onChange, onRefused }: PaneOptions) {
  const element = copyOf('pane')
  let state: ConnectionState = { is: 'connecting' }
  let openId: string | null = null
  let isAttended = false

  const connection = createConnection(socket, (next) => {
    state = next
    render()
    if (next.is === 'ended' && !conversation.me()) onRefused?.(next.why)
  })
  const conversation = createConversation(connection, render)
  const person = createPerson(element, toggle)
  const chats = createChatList(element, conversation, open)
  const messages = createMessageList(element, conversation)
  const composer = createComposer(element, { onSend: send, onType: type })

  const openRoom = (): Room | undefined => (openId === null ? undefined : conversation.rooms.get(openId))
  const shownName = (): string => conversation.me()?.name ?? name

  function render(): void {
    if (!openRoom()) openId = firstRoom()
    const room = openRoom()
    const isOnline = state.is === 'online'
    if (room && isOnline) {
      void conversation.load(room)
      if (isAttended && document.visibilityState === 'visible') void conversation.markRead(room).catch(() => {})
    }
    person.render(shownName(), state)
    chats.render(openId, isOnline)
    messages.render(room)
    const words = room ? `Message ${nameOf(room, conversation)}` : isOnline ? 'No chats yet' : ''
    composer.render(room !== undefined && state.is !== 'ended', words)
    onChange()
  }

  /** Two people first meet in the chat they have alone. */
  function firstRoom(): string | null {
    const rooms = [...conversation.rooms.values()]
    return (rooms.find(({ chat }) => chat.type === 'direct') ?? rooms[0])?.chat.chatId ?? null
  }

  function open(chatId: string): void {
    openId = chatId
    render()
    messages.scrollToEnd()
  }

  function send(content: string): void {
    const room = openRoom()
    if (!room) return
    conversation.send(room, content)
    messages.scrollToEnd()
  }

  function type(isTyping: boolean): void {
    const room = openRoom()
    if (room) conversation.type(room, isTyping)
  }

  function toggle(): void {
    if (state.is !== 'ended') return void socket.disconnect()
    state = { is: 'connecting' }
    socket.connect()
    render()
  }

  document.addEventListener('visibilitychange', render)
  render()
  socket.connect()

  return {
    element,
    name: shownName,
    unread: (): number => [...conversation.rooms.values()].reduce((sum, { chat }) => sum + chat.unreadCount, 0),
    focus: composer.focus,

    /** Says whether the person looks at this side: only then what comes counts as read. */
    attend(attended: boolean): void {
      if (attended === isAttended) return
      isAttended = attended
      render()
    },
  }
}
