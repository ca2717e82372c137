import type { Message } from '../../client/src/wire.js'
import type { Draft, Room } from '../conversation/room.js'
import { part, write } from '../dom.js'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** A message of one's own has the key of its draft, so that it takes the draft's place on the page. */
export function keyOf({ clientMessageId, id }: Message, isMine: boolean): string {
  return isMine && clientMessageId ? clientMessageId : id
}

/** Shows the message at a place of a room. */
export function showMessage(node: HTMLElement, room: Room, at: number, isMine: boolean): void {
  const message = room.messages[at]
  if (!message) return
  const { sender, createdAt, deletedAt } = message
  node.classList.toggle('mine', isMine)
  node.classList.toggle('follows', room.messages[at - 1]?.sender.userId === sender.userId)
  node.classList.toggle('gone', deletedAt !== null)
  delete node.dataset.fate
  write(part(node, '.name'), isMine || room.chat.type === 'direct' ? '' : sender.name)
  write(part(node, '.bubble'), textOf(message))
  write(part(node, 'time'), clock.format(new Date(createdAt)))
  write(part(node, '.fate'), fateOf(message, room, isMine && at === room.messages.length - 1))
  part(node, '.retry').hidden = true
}

function textOf({ content, attachments, deletedAt }: Message): string {
  if (deletedAt !== null) return 'This message was deleted.'
  return [content ?? '', ...attachments.map(({ name }) => `📎 ${name}`)].filter(Boolean).join('\n') || '…'
}

/** Only the last message, if it is one's own, says what became of it. */
function fateOf({ seq, editedAt }: Message, { readUpTo }: Room, isLastOfMine: boolean): string {
  const isRead = [...readUpTo.values()].some((lastReadSeq) => lastReadSeq >= seq)
  return [editedAt ? 'edited' : '', isLastOfMine ? (isRead ? 'Read' : 'Sent') : ''].filter(Boolean).join(' · ')
}

/** Shows a message that is on its way, or that did not get there. */
export function showDraft(node: HTMLElement, { content, failure }: Draft, onRetry: () => void): void {
  node.classList.add('mine')
  node.dataset.fate = failure ? 'failed' : 'sending'
  write(part(node, '.bubble'), content)
  write(part(node, '.fate'), failure ?? 'Sending…')
  const retry = part(node, '.retry')
  retry.hidden = failure === null
  retry.onclick = onRetry
}
