import type { ChatHistory, History, Sent, Told, View } from './history.js'

/** The first breach of the laws of the log in a history, with its witness; null when there is none. */
export function check(history: History): string | null {
  return first(
    [...history.chats].map(
      ([chatId, chat]) =>
        () =>
          checkLog(chatId, chat),
    ),
    history.views.map((view) => () => checkView(view, history.chats)),
    [() => checkSends(history)],
  )
}

function first(...rounds: (() => string | null)[][]): string | null {
  for (const look of rounds.flat()) {
    const breach = look()
    if (breach !== null) return breach
  }
  return null
}

/** Who is in a chat after each of its revisions. */
function* replay({ founders, lines }: ChatHistory): Iterable<Set<string>> {
  const members = new Set(founders)
  for (const { kind, userId } of lines) {
    if (kind === 'member_added') members.add(userId as string)
    if (kind === 'member_removed') members.delete(userId as string)
    yield members
  }
}

/** Revisions and seqs have no hole, nobody writes who is not in the chat, and its members are those whom the log left in it. */
function checkLog(chatId: string, chat: ChatHistory): string | null {
  let seq = 0
  let members: Set<string> = new Set()
  const steps = replay(chat)[Symbol.iterator]()
  for (const [i, line] of chat.lines.entries()) {
    const breach = (what: string) => `${chatId}: ${what}: ${JSON.stringify(line)}`
    if (line.revision !== i + 1) return breach(`a hole in the log at ${i + 1}`)
    members = steps.next().value as Set<string>
    if (line.kind !== 'message_created') continue
    if (!line.message) return breach('a line without its message')
    seq += 1
    if (line.message.seq !== seq) return breach(`a hole in the messages at ${seq}`)
    if (!members.has(line.message.senderId)) return breach('a message of somebody who is no member')
  }
  const left = [...members].sort().join()
  const listed = [...chat.members].sort().join()
  return left === listed ? null : `${chatId}: the log leaves ${left} in it, but its members are ${listed}`
}

const memberships = new WeakMap<ChatHistory, Map<string, boolean[]>>()

/** Whether somebody was in a chat at a revision. */
function wasIn(chat: ChatHistory, userId: string, revision: number): boolean {
  const ofChat = memberships.get(chat) ?? new Map<string, boolean[]>()
  memberships.set(chat, ofChat)
  const known = ofChat.get(userId) ?? Array.from(replay(chat), (members) => members.has(userId))
  ofChat.set(userId, known)
  return known[revision - 1] ?? false
}

/** From where it was told to be, a connection gets each revision once, in order and as it is in the log, up to its removal. */
function checkView({ userId, told, open }: View, chats: History['chats']): string | null {
  const at = new Map<string, number>()
  for (const [i, item] of told.entries()) {
    const before = JSON.stringify(told.slice(Math.max(0, i - 3), i).map(({ says, ...rest }) => rest))
    const breach = (what: string) => `${userId}: ${what}: ${JSON.stringify(item)} after ${before}`
    const chat = chats.get(item.chatId)
    const line = chat?.lines[item.revision - 1]
    if (!chat || !line) return breach('what is not in the log')
    const what = step(item, at.get(item.chatId), line.says, wasIn(chat, userId, item.revision))
    if (what !== null) return breach(what)
    if (item.event === 'removed') at.delete(item.chatId)
    else at.set(item.chatId, item.revision)
  }
  return open ? checkEnd(userId, at, chats) : null
}

function step({ event, revision, says }: Told, at: number | undefined, logged: string, isIn: boolean): string | null {
  if (event === 'session' || event === 'added') {
    if (at !== undefined) return 'added twice'
    return isIn ? null : 'told of a chat without being in it'
  }
  if (at === undefined) return 'told after the removal'
  if (revision <= at) return 'a repeat or a swap'
  if (revision > at + 1) return 'a hole'
  if (event === 'removed') return isIn ? 'removed without being removed' : null
  if (!isIn) return 'told of its own removal as if it were in'
  return says === logged ? null : `not what the log says, ${logged}`
}

/** Who is still connected when all is quiet stands at the head of each of their chats. */
function checkEnd(userId: string, at: Map<string, number>, chats: History['chats']): string | null {
  for (const [chatId, { lines, members }] of chats) {
    const expected = members.includes(userId) ? lines.length : undefined
    if (at.get(chatId) !== expected) return `${userId}: ends in ${chatId} at ${at.get(chatId)}, not at ${expected}`
  }
  return null
}

/** What was acked is in the log as it was acked, once; what was refused is not; and nothing is there that nobody sent. */
function checkSends({ chats, sends }: History): string | null {
  const meant = new Map(sends.map((sent) => [sent.content, sent]))
  const found = new Map<Sent, string>()
  for (const [chatId, { lines }] of chats) {
    for (const { kind, revision, message } of lines) {
      if (kind !== 'message_created' || !message) continue
      const sent = meant.get(message.content ?? '')
      const witness = `${chatId}: ${JSON.stringify({ revision, ...message })}`
      if (!sent || sent.userId !== message.senderId || sent.chatId !== chatId || sent.key !== message.key) {
        return `nobody sent ${witness}`
      }
      if (found.has(sent)) return `stored twice: ${witness} and ${found.get(sent)}`
      found.set(sent, witness)
      if (sent.refused !== null) return `refused with ${sent.refused}, and stored: ${witness}`
      const { acked } = sent
      if (acked && (acked.id !== message.id || acked.seq !== message.seq || acked.revision !== revision)) {
        return `acked as ${JSON.stringify(acked)}, but stored as ${witness}`
      }
    }
  }
  const lost = sends.find((sent) => sent.acked && !found.has(sent))
  return lost ? `acked and not stored: ${JSON.stringify(lost)}` : null
}
