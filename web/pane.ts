import type { Message } from '../contract/index.js'
import { type ChatSocket, createConnection, type State } from './connection.js'
import { createConversation, type Draft, type Room } from './conversation.js'
import { copyOf, part, place, write } from './dom.js'

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

const TYPING_AGAIN_MS = 3_000
const NEAR_END_PX = 80
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** One person's side: their chats, the open one's messages, and what they write. */
export function createPane({ socket, name, onChange, onRefused }: PaneOptions) {
  const element = copyOf('pane')
  const find = <E extends HTMLElement>(selector: string) => element.querySelector(selector) as E
  const [title, state, avatar, toggle] = [find('h2'), find('.state'), find('.avatar'), find('.toggle')]
  const [chats, scroll, earlier, log] = [
    find('.chats'),
    find('.scroll'),
    find<HTMLButtonElement>('.earlier'),
    find('.messages'),
  ]
  const [typing, composer, field] = [
    find('.typing'),
    find<HTMLFormElement>('.composer'),
    find<HTMLTextAreaElement>('textarea'),
  ]
  const nodes = new Map<string, HTMLElement>()
  scroll.tabIndex = 0

  let connectionState: State = { is: 'connecting' }
  let openId: string | null = null
  let isAttended = false
  let typedAt = 0

  const connection = createConnection(socket, (next) => {
    connectionState = next
    render()
    if (next.is === 'ended' && !conversation.me()) onRefused?.(next.why)
  })
  const conversation = createConversation(connection, render)
  const open = (): Room | undefined => (openId === null ? undefined : conversation.rooms.get(openId))
  const isOnline = () => connectionState.is === 'online'

  function nameOf(room: Room): string {
    const others = [...room.members.values()].filter(({ userId }) => userId !== conversation.me()?.userId)
    return room.chat.title ?? (others.map((user) => user.name).join(', ') || 'Just you')
  }

  /** Whether the other one of a direct chat is there; undefined for groups, and for what is not known. */
  function isPeerOnline(room: Room): boolean | undefined {
    if (room.chat.type !== 'direct' || !isOnline()) return undefined
    const peer = [...room.members.keys()].find((userId) => userId !== conversation.me()?.userId)
    return peer === undefined ? undefined : conversation.presenceOf(peer)?.isOnline
  }

  function render(): void {
    if (!open()) openId = firstRoom()
    const room = open()
    if (room && isOnline()) {
      void conversation.load(room)
      if (isAttended && document.visibilityState === 'visible') void conversation.markRead(room).catch(() => {})
    }
    renderPerson()
    renderChats()
    renderMessages(room)
    renderComposer(room)
    onChange()
  }

  /** Two people first meet in the chat they have alone. */
  function firstRoom(): string | null {
    const rooms = [...conversation.rooms.values()]
    return (rooms.find(({ chat }) => chat.type === 'direct') ?? rooms[0])?.chat.chatId ?? null
  }

  function renderPerson(): void {
    const shown = conversation.me()?.name ?? name
    write(title, shown)
    write(avatar, [...shown][0]?.toUpperCase() ?? '')
    element.dataset.state = connectionState.is
    element.setAttribute('aria-label', shown)
    write(state, toWords(connectionState))
    write(toggle, connectionState.is === 'ended' ? 'Connect' : 'Disconnect')
  }

  function renderChats(): void {
    const buttons = [...conversation.rooms.values()].map((room) => {
      const { chatId, unreadCount, unreadCapped } = room.chat
      const button = keyed(`chat ${chatId}`, () => {
        const made = document.createElement('button')
        made.type = 'button'
        made.append(
          ...['dot', 'label', 'badge'].map((part) =>
            Object.assign(document.createElement('span'), { className: part }),
          ),
        )
        made.addEventListener('click', () => {
          openId = chatId
          render()
          scroll.scrollTop = scroll.scrollHeight
        })
        return made
      })
      const [dot, label, badge] = [...button.children] as [HTMLElement, HTMLElement, HTMLElement]
      const peer = isPeerOnline(room)
      dot.hidden = room.chat.type !== 'direct'
      dot.dataset.online = String(peer ?? '')
      write(label, nameOf(room))
      badge.hidden = unreadCount === 0
      write(badge, `${unreadCount}${unreadCapped ? '+' : ''}`)
      const words = [
        nameOf(room),
        peer === undefined ? '' : peer ? 'online' : 'offline',
        unreadCount > 0 ? `${badge.textContent} unread` : '',
      ]
      button.setAttribute('aria-label', words.filter(Boolean).join(', '))
      button.setAttribute('aria-pressed', String(chatId === openId))
      return button
    })
    place(chats, buttons)
  }

  function renderMessages(room: Room | undefined): void {
    const wasNearEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX
    const before = log.lastElementChild
    const shown = room
      ? [
          ...room.messages.map((message, i) => toNode(room, message, i)),
          ...room.drafts.map((draft) => draftNode(room, draft)),
        ]
      : []
    place(log, shown)
    earlier.hidden = !room?.hasBefore
    scroll.setAttribute('aria-label', room ? `Messages with ${nameOf(room)}` : 'Messages')
    element.classList.toggle('empty', shown.length === 0)
    if (wasNearEnd && log.lastElementChild !== before) scroll.scrollTop = scroll.scrollHeight
    const names = [...(room?.typing ?? [])].map((userId) => room?.members.get(userId)?.name ?? userId)
    write(typing, names.length === 0 ? '' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`)
  }

  function toNode(room: Room, message: Message, i: number): HTMLElement {
    const { sender, content, seq, createdAt, editedAt } = message
    const isMine = sender.userId === conversation.me()?.userId
    const node = messageNode(isMine && message.clientMessageId ? message.clientMessageId : message.id)
    const isRead = isMine && [...room.readUpTo.values()].some((lastReadSeq) => lastReadSeq >= seq)
    const isLast = i === room.messages.length - 1
    node.classList.toggle('mine', isMine)
    node.classList.toggle('follows', room.messages[i - 1]?.sender.userId === sender.userId)
    node.classList.toggle('gone', content === null)
    delete node.dataset.fate
    write(part(node, '.name'), isMine || room.chat.type === 'direct' ? '' : sender.name)
    write(part(node, '.bubble'), content ?? 'This message was deleted.')
    write(part(node, 'time'), clock.format(new Date(createdAt)))
    write(
      part(node, '.fate'),
      [editedAt ? 'edited' : '', isMine && isLast ? (isRead ? 'Read' : 'Sent') : ''].filter(Boolean).join(' · '),
    )
    part(node, '.retry').hidden = true
    return node
  }

  function draftNode(room: Room, draft: Draft): HTMLElement {
    const node = messageNode(draft.clientMessageId)
    node.classList.add('mine')
    node.dataset.fate = draft.failure ? 'failed' : 'sending'
    write(part(node, '.bubble'), draft.content)
    write(part(node, '.fate'), draft.failure ?? 'Sending…')
    const retry = part(node, '.retry')
    retry.hidden = draft.failure === null
    retry.onclick = () => conversation.retry(room, draft)
    return node
  }

  function renderComposer(room: Room | undefined): void {
    const canWrite = room !== undefined && connectionState.is !== 'ended'
    field.disabled = !canWrite
    part(composer, 'button').toggleAttribute('disabled', !canWrite)
    const words = room ? `Message ${nameOf(room)}` : isOnline() ? 'No chats yet' : ''
    field.placeholder = words
    field.setAttribute('aria-label', words || 'Message')
  }

  const messageNode = (key: string) => keyed(`message ${key}`, () => copyOf('message'))

  function keyed(key: string, make: () => HTMLElement): HTMLElement {
    const node = nodes.get(key) ?? make()
    nodes.set(key, node)
    return node
  }

  function stopTyping(): void {
    const room = open()
    if (typedAt > 0 && room) conversation.type(room, false)
    typedAt = 0
  }

  field.addEventListener('input', () => {
    const room = open()
    if (field.value.trim() === '') stopTyping()
    else if (room && Date.now() - typedAt > TYPING_AGAIN_MS) {
      typedAt = Date.now()
      conversation.type(room, true)
    }
  })
  field.addEventListener('blur', stopTyping)
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    composer.requestSubmit()
  })
  composer.addEventListener('submit', (event) => {
    event.preventDefault()
    const room = open()
    if (!room || field.value.trim() === '') return
    conversation.send(room, field.value)
    field.value = ''
    stopTyping()
    scroll.scrollTop = scroll.scrollHeight
  })
  toggle.addEventListener('click', () => {
    if (connectionState.is !== 'ended') return void socket.disconnect()
    connectionState = { is: 'connecting' }
    socket.connect()
    render()
  })
  earlier.addEventListener('click', () => {
    const room = open()
    if (room) void conversation.loadEarlier(room).catch(() => {})
  })
  document.addEventListener('visibilitychange', render)

  render()
  socket.connect()

  return {
    element,
    name: () => conversation.me()?.name ?? name,
    unread: () => [...conversation.rooms.values()].reduce((sum, { chat }) => sum + chat.unreadCount, 0),
    focus: () => field.focus({ preventScroll: true }),

    /** Says whether the person looks at this side: only then what comes counts as read. */
    attend(attended: boolean): void {
      if (attended === isAttended) return
      isAttended = attended
      render()
    },
  }
}

function toWords(state: State): string {
  if (state.is === 'ended') return state.why || 'Disconnected'
  return { connecting: 'Connecting…', online: 'Connected', retrying: 'Reconnecting…' }[state.is]
}
