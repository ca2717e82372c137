import type { Conversation } from '../conversation/index.js'
import type { Room } from '../conversation/room.js'
import { buttonOf, createNodes, part, place, write } from '../dom.js'
import { isPeerOnline, nameOf } from './names.js'

/** One's chats, each a button with what is unread and, in direct chats, whether the other is there. */
export function createChatList(pane: HTMLElement, conversation: Conversation, onOpen: (chatId: string) => void) {
  const list = part(pane, '.chats')
  const buttonFor = createNodes((chatId) => {
    const button = buttonOf('dot', 'label', 'badge')
    button.addEventListener('click', () => onOpen(chatId))
    return button
  })

  function toButton(room: Room, isOpen: boolean, isConnected: boolean): HTMLElement {
    const { chatId, type, unreadCount, unreadCapped } = room.chat
    const button = buttonFor(chatId)
    const [dot, label, badge] = [part(button, '.dot'), part(button, '.label'), part(button, '.badge')]
    const name = nameOf(room, conversation)
    const unread = `${unreadCount}${unreadCapped ? '+' : ''}`
    const isOnline = isConnected ? isPeerOnline(room, conversation) : undefined

    dot.hidden = type !== 'direct'
    dot.dataset.online = String(isOnline ?? '')
    write(label, name)
    badge.hidden = unreadCount === 0
    write(badge, unread)
    const presence = isOnline === undefined ? '' : isOnline ? 'online' : 'offline'
    const words = [name, presence, unreadCount > 0 ? `${unread} unread` : '']
    button.setAttribute('aria-label', words.filter(Boolean).join(', '))
    button.setAttribute('aria-pressed', String(isOpen))
    return button
  }

  return {
    render(openId: string | null, isConnected: boolean): void {
      const rooms = [...conversation.rooms.values()]
      place(
        list,
        rooms.map((room) => toButton(room, room.chat.chatId === openId, isConnected)),
      )
    },
  }
}
