/** A message that a client wanted stored: one key, however often it was tried. Times are of one clock, in ms. */
export interface SendRecord {
  chatId: string
  userId: string
  key: string
  invokedAt: number
  attempts: number
  /** Every ok that came, in order. */
  acks: { at: number; id: string; seq: number; revision: number; duplicate: boolean }[]
  /** A final refusal. */
  refused?: string
}

/** The contents that one message was given by its sender, one after another; those up to `acked` were answered ok. */
export interface EditRecord {
  messageId: string
  contents: string[]
  acked: number
}

/** An emoji put on a message and answered ok. */
export interface ReactionRecord {
  messageId: string
  userId: string
  emoji: string
}

/** One logged event as a socket got it. */
export interface Seen {
  event: string
  revision: number
  /** The message's id, or the member's. */
  entity?: string
  seq?: number
}

/** One connection's time in one chat: from `session` or `chat_added` to its end or `chat_removed`. */
export interface Stay {
  userId: string
  chatId: string
  /** Where it was connected. */
  node?: string
  /** The revision it was told to start after. */
  after: number
  /** When its transport opened, where `session` told it. */
  openedAt?: number
  events: Seen[]
  removedBy?: number
  /** Still there when all was quiet. */
  isLive: boolean
}

/** What one call of `sync` answered for one chat. */
export interface SyncPage {
  userId: string
  chatId: string
  after: number
  through: number
  changes: { revision: number; entity: string }[]
}

export interface LogLine {
  chatId: string
  revision: number
  kind: string
  /** The message's id, or the member's; null for the chat itself. */
  entity: string | null
}

export interface StoredMessage {
  id: string
  chatId: string
  seq: number
  revision: number
  senderId: string
  key: string | null
  content: string | null
  reactions: { emoji: string; userId: string }[]
}

/** What clients did and saw, and what the database held in the end. */
export interface History {
  sends: SendRecord[]
  edits: EditRecord[]
  reactions: ReactionRecord[]
  stays: Stay[]
  /** Events of chats that their socket was not in. */
  strays: { userId: string; chatId: string; event: string; revision: number }[]
  pages: SyncPage[]
  /** `firstSeq`, if any: what is below has expired. */
  chats: { chatId: string; revision: number; firstSeq?: number; lastSeq: number }[]
  log: LogLine[]
  messages: StoredMessage[]
}

/** Everything that can be wrong with a history. */
export const ANOMALIES = {
  lost: 'acked, and not in the log',
  doubled: 'one key, several rows',
  changed: 'acks of one key, or ack and row, differ',
  unanswered: 'never acked although all was well in the end',
  phantom: 'stored, delivered or answered without a cause',
  hole: 'a seq or revision of the log is missing or taken twice',
  unordered: 'sent after another was acked, and numbered before it',
  skipped: 'a socket missed a revision',
  repeated: 'a socket got a revision twice, or an older one later',
  different: 'a socket was told another thing than the log says',
  behind: 'a socket had not got everything when all was quiet',
  intruding: 'a socket got events of a chat that it was not in',
  forgetful: 'a session or page started below what was acked before',
  unsynced: 'a page of sync is not what the log says',
} as const

export type Anomaly = keyof typeof ANOMALIES

export interface Verdict {
  counts: Record<Anomaly, number>
  /** The first of each kind, with what shows it. */
  witnesses: Partial<Record<Anomaly, string>>
  isClean: boolean
}

type Report = (anomaly: Anomaly, witness: () => unknown) => void

/** Judges a history: seq and revision are the log's own order, so each check is one pass or a sort. */
export function check(history: History): Verdict {
  const counts = Object.fromEntries(Object.keys(ANOMALIES).map((name) => [name, 0])) as Verdict['counts']
  const witnesses: Verdict['witnesses'] = {}
  const report: Report = (anomaly, witness) => {
    counts[anomaly] += 1
    witnesses[anomaly] ??= JSON.stringify(witness())
  }
  const lines = groupBy(history.log, ({ chatId }) => chatId)
  for (const ofChat of lines.values()) ofChat.sort((a, b) => a.revision - b.revision)

  checkLog(history, lines, report)
  checkSends(history, report)
  checkOrder(history, report)
  checkEffects(history, report)
  checkStays(history, lines, report)
  checkPages(history, lines, report)
  return { counts, witnesses, isClean: Object.values(counts).every((count) => count === 0) }
}

/** The log by itself: no holes, and one line that makes each message, in the order of seqs. */
function checkLog({ chats, messages }: History, lines: Map<string, LogLine[]>, report: Report): void {
  const ofChat = groupBy(messages, ({ chatId }) => chatId)
  for (const { chatId, revision, firstSeq = 1, lastSeq } of chats) {
    const log = lines.get(chatId) ?? []
    const inOrder = (ofChat.get(chatId) ?? []).sort((a, b) => a.seq - b.seq)
    const wrongLine = log.find((line, i) => line.revision !== i + 1)
    const wrongSeq = inOrder.find((message, i) => message.seq !== firstSeq + i)
    if (wrongLine || log.length !== revision) report('hole', () => ({ chatId, revision, lines: log.length, wrongLine }))
    if (wrongSeq || inOrder.length !== lastSeq - firstSeq + 1)
      report('hole', () => ({ chatId, lastSeq, messages: inOrder.length, wrongSeq }))
    const made = log
      .filter(({ kind }) => kind === 'message_created')
      .map(({ entity }) => entity)
      .slice(firstSeq - 1)
    const differs = inOrder.findIndex(({ id }, i) => made[i] !== id)
    if (differs >= 0 || made.length !== inOrder.length) {
      report('hole', () => ({ chatId, seq: differs + 1, stored: inOrder[differs], logged: made[differs] }))
    }
    const newest = new Map(log.map((line) => [line.entity, line.revision]))
    const stale = inOrder.find(({ id, revision }) => newest.get(id) !== revision)
    if (stale) report('different', () => ({ stale, newestLine: newest.get(stale.id) }))
  }
}

const keyOf = (...parts: unknown[]) => JSON.stringify(parts)

/** Sends and rows: what was acked is there, once, as it was acked; what is there was sent. */
function checkSends({ sends, messages, chats }: History, report: Report): void {
  // Of what was sent without a key nobody can say how often it should be there.
  const keyed = messages.filter(({ key }) => key !== null)
  const rows = groupBy(keyed, ({ chatId, senderId, key }) => keyOf(chatId, senderId, key))
  const known = new Set<string>()
  const firstSeqs = new Map(chats.map(({ chatId, firstSeq = 1 }) => [chatId, firstSeq]))
  for (const send of sends) {
    const key = keyOf(send.chatId, send.userId, send.key)
    known.add(key)
    // What has expired takes its key with it.
    if (send.acks.some(({ seq }) => seq < (firstSeqs.get(send.chatId) ?? 1))) continue
    const [row, ...more] = rows.get(key) ?? []
    const first = send.acks[0]
    if (more.length > 0) report('doubled', () => ({ send, rows: [row, ...more] }))
    if (first && !row) report('lost', () => send)
    if (!first && !send.refused) report('unanswered', () => ({ send, row }))
    if (row && send.refused && send.attempts === 1) report('phantom', () => ({ send, row }))
    const differs = send.acks.find(({ id, seq }) => row && (id !== row.id || seq !== row.seq))
    if (differs) report('changed', () => ({ send, row }))
    if (send.acks.filter(({ duplicate }) => !duplicate).length > 1) report('changed', () => ({ send, fresh: 'twice' }))
  }
  for (const [key, [row]] of rows) if (!known.has(key)) report('phantom', () => row)
}

/** Real time: what was sent after an ack comes behind it. */
function checkOrder({ sends }: History, report: Report): void {
  for (const ofChat of groupBy(sends, ({ chatId }) => chatId).values()) {
    const acked = ofChat.flatMap((send) => send.acks.slice(0, 1)).sort((a, b) => a.at - b.at)
    let next = 0
    let highest = 0
    for (const send of ofChat.filter(({ acks }) => acks.length > 0).sort((a, b) => a.invokedAt - b.invokedAt)) {
      for (let ack = acked[next]; ack && ack.at < send.invokedAt; ack = acked[++next])
        highest = Math.max(highest, ack.seq)
      if ((send.acks[0]?.seq ?? 0) <= highest) report('unordered', () => ({ send, ackedBefore: highest }))
    }
  }
}

/** Edits and reactions: the last that was acked stands, unless a later try came through. */
function checkEffects({ edits, reactions, messages }: History, report: Report): void {
  const byId = new Map(messages.map((message) => [message.id, message]))
  for (const edit of edits) {
    const content = byId.get(edit.messageId)?.content
    const at = edit.contents.lastIndexOf(content ?? '')
    if (at < edit.acked) report('lost', () => ({ edit, content }))
  }
  for (const { messageId, userId, emoji } of reactions) {
    const there = byId.get(messageId)?.reactions.some((one) => one.emoji === emoji && one.userId === userId)
    if (!there) report('lost', () => ({ reaction: { messageId, userId, emoji } }))
  }
}

const EVENT_OF: Record<string, string> = {
  message_created: 'new_message',
  message_updated: 'message_updated',
  message_deleted: 'message_deleted',
  member_added: 'member_changed',
  member_removed: 'member_changed',
  member_role: 'member_changed',
  member_muted: 'member_changed',
  chat_updated: 'chat_updated',
  messages_expired: 'messages_expired',
}

/** What each connection saw of each chat is the log from where it was told to start, line by line. */
function checkStays(
  { stays, strays, sends, chats, messages }: History,
  lines: Map<string, LogLine[]>,
  report: Report,
): void {
  const seqs = new Map(messages.map(({ id, seq }) => [id, seq]))
  const heads = new Map(chats.map(({ chatId, revision }) => [chatId, revision]))
  const known = knownRevisions(sends)
  const removals = groupBy(
    [...lines.values()].flat().filter(({ kind }) => kind === 'member_removed'),
    ({ chatId, entity }) => keyOf(chatId, entity),
  )
  for (const stray of strays) report('intruding', () => stray)
  for (const stay of stays) {
    const { userId, chatId, node, after, events, removedBy, isLive, openedAt } = stay
    const log = lines.get(chatId) ?? []
    const at = { userId, chatId, node, after }
    // Whichever node removed them: theirs told them nothing from there on, but that they are out.
    const removal = removals.get(keyOf(chatId, userId))?.find(({ revision }) => revision > after)
    const above = removal && events.find(({ revision }) => revision >= removal.revision)
    if (removal && (above || isLive)) report('intruding', () => ({ ...at, removal, above, isLive }))
    if (openedAt !== undefined && after < known(chatId, openedAt)) {
      report('forgetful', () => ({ ...at, openedAt, known: known(chatId, openedAt) }))
    }
    let position = after
    for (const seen of events) {
      if (seen.revision <= position) report('repeated', () => ({ ...at, position, seen }))
      else {
        if (seen.revision > position + 1) report('skipped', () => ({ ...at, position, seen }))
        position = seen.revision
      }
      const line = log[seen.revision - 1]
      // A message that has expired since: so it may have been told already, or as it was before.
      const isExpired = line?.kind.startsWith('message_') && !seqs.has(line.entity ?? '')
      if (!line) report('phantom', () => ({ ...at, seen }))
      else if (isExpired && (seen.event === 'messages_expired' || seen.entity === line.entity)) continue
      else if (EVENT_OF[line.kind] !== seen.event || line.entity !== (seen.entity ?? null))
        report('different', () => ({ ...at, seen, line }))
      else if (seen.seq !== undefined && seen.seq !== seqs.get(line.entity ?? ''))
        report('different', () => ({ ...at, seen, seq: seqs.get(line.entity ?? '') }))
    }
    if (removedBy !== undefined) {
      const line = log[removedBy - 1]
      if (line?.kind !== 'member_removed' || line.entity !== userId)
        report('phantom', () => ({ ...at, removedBy, line }))
      if (removedBy !== position + 1) report('skipped', () => ({ ...at, position, removedBy }))
    } else if (isLive && position !== heads.get(chatId)) {
      report('behind', () => ({ ...at, position, head: heads.get(chatId) }))
    }
  }
}

/** The highest revision of a chat that anybody was acked before a moment. */
function knownRevisions(sends: SendRecord[]): (chatId: string, at: number) => number {
  const timelines = new Map<string, { at: number; highest: number }[]>()
  for (const [chatId, ofChat] of groupBy(sends, ({ chatId }) => chatId)) {
    let highest = 0
    const acks = ofChat.flatMap(({ acks }) => acks).sort((a, b) => a.at - b.at)
    timelines.set(
      chatId,
      acks.map(({ at, revision }) => {
        highest = Math.max(highest, revision)
        return { at, highest }
      }),
    )
  }
  return (chatId, at) => {
    const timeline = timelines.get(chatId) ?? []
    let low = 0
    for (let high = timeline.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((timeline[middle]?.at ?? 0) < at) low = middle + 1
      else high = middle
    }
    return timeline[low - 1]?.highest ?? 0
  }
}

/** A page of sync holds each entity of its lines once, at its highest revision there. */
function checkPages({ pages }: History, lines: Map<string, LogLine[]>, report: Report): void {
  for (const { userId, chatId, after, through, changes } of pages) {
    const span = (lines.get(chatId) ?? []).slice(after, through)
    const newest = new Map(span.map(({ entity, revision }) => [entity ?? 'chat', revision]))
    const told = new Map(changes.map(({ entity, revision }) => [entity, revision]))
    const missed = [...newest].find(([entity, revision]) => told.get(entity) !== revision)
    if (missed || told.size !== newest.size || changes.length !== told.size) {
      report('unsynced', () => ({ userId, chatId, after, through, missed, told: told.size, logged: newest.size }))
    }
  }
}

function groupBy<T>(items: T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
