import type { News } from './reduce-chat.js'
import type { Message, Output } from './wire.js'

/** A stretch of a chat's history without a hole, ascending. */
export interface Page {
  messages: readonly Message[]
  hasBefore: boolean
  hasAfter: boolean
}

export const EMPTY: Page = { messages: [], hasBefore: false, hasAfter: false }

/** The first seq of some messages, and the last; of none, what is beyond all. */
export const firstOf = (messages: readonly Message[]): number => messages[0]?.seq ?? Infinity
export const lastOf = (messages: readonly Message[]): number => messages.at(-1)?.seq ?? -Infinity

/** A list with a message in its place; the same list where it has that, or a later state of it. */
export function place(messages: readonly Message[], message: Message): readonly Message[] {
  const index = message.seq - (messages[0]?.seq ?? 0)
  const known = messages[index]
  return known?.id === message.id && known.revision < message.revision
    ? messages.map((other, i) => (i === index ? message : other))
    : messages
}

/** What changes make of a page. Live, only a `message_created` is new; in a page of sync what is new may stand there as it was changed later. */
export function reducePage(page: Page, changes: readonly News[], isLive: boolean): Page {
  const { hasAfter } = page
  let { messages, hasBefore } = page
  for (const { throughSeq = -1 } of changes) {
    const first = firstOf(messages)
    if (hasBefore && throughSeq < first - 1) continue
    if (throughSeq >= first) messages = messages.filter(({ seq }) => seq > throughSeq)
    if (throughSeq >= 0) hasBefore = false
  }
  const fresh: Message[] = []
  for (const { message, type } of changes) {
    if (!message) continue
    messages = place(messages, message)
    if (type === 'message_created' || !isLive) fresh.push(message)
  }
  if (!hasAfter) for (const message of fresh.sort((a, b) => a.seq - b.seq)) messages = append(messages, message)
  const isSame = messages === page.messages && hasBefore === page.hasBefore
  return isSame ? page : { messages, hasBefore, hasAfter }
}

/** A list with the message that follows on it; the same list where another would follow. */
export function append(messages: readonly Message[], message: Message): readonly Message[] {
  const last = messages.at(-1)
  return !last || message.seq === last.seq + 1 ? [...messages, message] : messages
}

/** Two stretches as one where they touch; else the new one alone. Of each message the later state stays. */
export function join(old: Page, next: Output<'get_messages'>): Page {
  const [a, b] = [old.messages, next.messages]
  const [a0, a1, b0, b1] = [firstOf(a), lastOf(a), firstOf(b), lastOf(b)]
  const { hasBefore, hasAfter } = next
  if (b0 > a1 + 1 || a0 > b1 + 1) return { messages: b, hasBefore, hasAfter }
  const both = [...a.filter(({ seq }) => seq < b0), ...b, ...a.filter(({ seq }) => seq > b1)]
  return {
    messages: a.reduce(place, both),
    hasBefore: b0 <= a0 ? hasBefore : old.hasBefore,
    hasAfter: b1 >= a1 ? hasAfter : old.hasAfter,
  }
}
