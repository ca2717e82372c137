import type { Conversation } from '../conversation/index.js'
import type { Room } from '../conversation/room.js'
import { copyOf, createNodes, part, place, write } from '../dom.js'
import { keyOf, showDraft, showMessage } from './message.js'
import { nameOf, typingWords } from './names.js'

const NEAR_END_PX = 80

/** The open chat's messages and drafts, and who types. */
export function createMessageList(pane: HTMLElement, conversation: Conversation) {
  const scroll = part(pane, '.scroll')
  const earlier = part(pane, '.earlier')
  const log = part(pane, '.messages')
  const typing = part(pane, '.typing')
  const nodeFor = createNodes(() => copyOf('message'))
  let open: Room | undefined

  scroll.tabIndex = 0
  earlier.addEventListener('click', () => {
    if (open) void conversation.loadEarlier(open).catch(() => {})
  })

  function toNodes(room: Room): HTMLElement[] {
    const messages = room.messages.map((message, i) => {
      const isMine = conversation.isMe(message.sender.userId)
      const node = nodeFor(keyOf(message, isMine))
      showMessage(node, room, i, isMine)
      return node
    })
    const drafts = room.drafts.map((draft) => {
      const node = nodeFor(draft.clientMessageId)
      showDraft(node, draft, () => conversation.retry(room, draft))
      return node
    })
    return [...messages, ...drafts]
  }

  const scrollToEnd = (): void => {
    scroll.scrollTop = scroll.scrollHeight
  }

  return {
    scrollToEnd,

    /** Shows a chat; who had read to its end stays at its end. */
    render(room: Room | undefined): void {
      open = room
      const wasNearEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX
      const before = log.lastElementChild
      const shown = room ? toNodes(room) : []
      place(log, shown)
      earlier.hidden = !room?.hasBefore
      scroll.setAttribute('aria-label', room ? `Messages with ${nameOf(room, conversation)}` : 'Messages')
      pane.classList.toggle('empty', shown.length === 0)
      if (wasNearEnd && log.lastElementChild !== before) scrollToEnd()
      write(typing, room ? typingWords(room) : '')
    },
  }
}
