/** A mistake that people make when they write a client: a change of the plain client's source. */
export interface Fault {
  name: string
  /** The scenario that must find it. */
  foundBy: string
  /** What stands there exactly once, and what stands there instead. */
  edits: [find: string, replace: string][]
}

const DROP = 'outbox.splice(outbox.indexOf(item), 1)'
const WAIT = 'if (error.retryable) await sleep(error.retryAfterMs ?? AGAIN_MS)'
const FAIL = 'giveUp: (error) => (item.error = error)'
const SET = 'room.messages.set(message.seq, message)'
const HOLE = 'if (revision > room.revision + 1) return behind(room, revision)'
const KNOWN = 'if (!room || revision <= room.revision) return'
const END = "why.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused'"
const BACK = 'if (isFinal) socket.disconnect()'
const OWN_MARK = 'if (rooms.has(chatId) && userId === client.userId) mark'

const fault = (name: string, foundBy: string, ...edits: Fault['edits']): Fault => ({ name, foundBy, edits })

const SENDING: Fault[] = [
  fault('a new key for each try', 'lost-ack', ['clientMessageId: item.key', 'clientMessageId: String(Math.random())']),
  fault('an ack that is waited for without end', 'lost-ack-alive', ['socket.timeout(ANSWER_MS).emit', 'socket.emit']),
  fault('no second try', 'lost-send', ['error: { retryable: true, retryAfterMs: 0 }', "error: { code: 'UNHEARD' }"]),
  fault('an outbox that ends with the connection', 'queue-cut', [
    'closing = null\n    for',
    'closing = null\n    outbox.length = 0\n    for',
  ]),
  fault('an outbox that takes nothing while one is away', 'written-away', [
    'outbox.push({',
    "if (client.state === 'online') outbox.push({",
  ]),
  fault('others first after a refusal', 'overloaded', [WAIT, `if (error.retryable) outbox.push(outbox.shift())`]),
  fault('a second try at once', 'rate-limited', [WAIT, 'if (error.retryable) await sleep(0)']),
  fault('a final refusal tried for ever', 'refused', [FAIL, 'giveUp: () => sleep(50)']),
  fault('a final refusal that nobody hears of', 'refused', [FAIL, `giveUp: () => ${DROP}`]),
  fault('a frame that is too large', 'oversize', ['.size > MAX_BYTES', '.size > 1e9']),
  fault('a conflict of keys taken for success', 'key-conflict', [
    FAIL,
    `giveUp: (error) => (error.code === 'IDEMPOTENCY_CONFLICT' ? ${DROP} : (item.error = error))`,
  ]),
  fault('a new key after a conflict', 'key-conflict', [
    FAIL,
    "giveUp: (error) => (error.code === 'IDEMPOTENCY_CONFLICT' ? (item.key += '-2') : (item.error = error))",
  ]),
  fault("another device's message taken for one's own by its key", 'key-conflict', [
    SET,
    `${SET}\n    for (const [i, { key }] of outbox.entries()) if (key === message.clientMessageId) outbox.splice(i, 1)`,
  ]),
  fault('what failed kept without its text', 'refused', [
    FAIL,
    "giveUp: (error) => Object.assign(item, { error, content: '' })",
  ]),
  fault('an ack shown beside its event that comes later', 'ack-first', [
    'put(rooms.get(item.chatId), message)',
    'rooms.get(item.chatId).messages.set(message.id, message)',
  ]),
  fault('an ack shown beside its event that came before', 'event-first', [
    'put(rooms.get(item.chatId), message)',
    'const { messages } = rooms.get(item.chatId)\n    messages.set(messages.has(message.seq) ? message.id : message.seq, message)',
  ]),
]

const EVENTS: Fault[] = [
  fault(
    'old revisions taken for new ones',
    'stale',
    [KNOWN, 'if (!room) return'],
    ['room.revision = revision\n    apply', 'room.revision = Math.max(room.revision, revision)\n    apply'],
    ['if (message.revision <= (room.messages.get(message.seq)?.revision ?? 0)) return', ''],
  ),
  fault('holes passed over', 'hole', [HOLE, '']),
  fault(
    'holes looked for in the numbers of messages alone',
    'lost-edit',
    ['function hear({ chatId, revision }', 'function hear({ chatId, revision, seq }'],
    [HOLE, 'if (seq > 1 && !room.messages.has(seq) && !room.messages.has(seq - 1)) return behind(room, revision)'],
  ),
  fault('events in the order in which they come', 'swapped', [HOLE, '']),
  fault('every event taken for a change of the chat', 'unknown', [
    'for (const event of CHANGES) socket.on(event, (change)',
    'socket.onAny((_event, change)',
  ]),
  fault(
    'repeats that count on',
    'repeated',
    [KNOWN, 'if (!room) return'],
    ['room.revision = revision\n    apply', 'room.revision += 1\n    apply'],
  ),
  fault('deleted messages taken away', 'deleted', [
    SET,
    `if (message.deletedAt) room.messages.delete(message.seq)\n    else ${SET}`,
  ]),
  fault('expiry not heard', 'expired', ["socket.on('messages_expired'", "socket.on('messages_gone'"]),
  fault('removal not heard', 'removed', ["'chat_removed'", "'chat_left'"]),
  fault("one's own changes taken for known", 'own-changes', [
    'change.seq && put(room, change)',
    "change.seq && (event !== 'message_updated' || change.sender.userId !== client.userId) && put(room, change)",
  ]),
]

const SYNCING: Fault[] = [
  fault('no sync after coming back', 'away-messages', ['if (chat) behind(room, chat.revision)', '']),
  fault('new messages alone from sync', 'away-edit', [
    'else put(room, change.message)',
    "else if (change.type === 'message_created') put(room, change.message)",
  ]),
  fault('reactions as they were', 'away-reaction', [
    SET,
    'room.messages.set(message.seq, { ...message, reactions: room.messages.get(message.seq)?.reactions ?? [] })',
  ]),
  fault('deletions not taken from sync', 'away-deleted', [
    'else put(room, change.message)',
    'else if (!change.message?.deletedAt) put(room, change.message)',
  ]),
  fault('expiry not taken from sync', 'away-expired', ['expire(room, change.throughSeq)\n', 'void 0\n']),
  fault('chats that the session does not name kept', 'away-removed', [
    'if (!chat) open(room.chatId)\n      else mark',
    'if (chat) mark',
  ]),
  fault('reset ignored', 'reset', [
    'if (answer.reset) return load(room)',
    'if (answer.reset) return void (room.revision = answer.head)',
  ]),
  fault('gone ignored', 'gone', [
    'if (answer.gone) return open(room.chatId)',
    'if (answer.gone) return void (room.head = room.revision)',
  ]),
  fault('sync goes on from the head', 'pages', ['Math.max(room.revision, answer.through)', 'answer.head']),
  fault('one page of sync', 'pages', ['room.head = Math.max(room.head, answer.head)', 'room.head = room.revision']),
  fault('live events lost during sync', 'seam', [KNOWN, `if (isAtWork) return\n    ${KNOWN}`]),
  fault('sync given up', 'sync-refused', [WAIT, 'if (error.retryable && outbox.length) await sleep(50)']),
  fault('a sync that stays under way when its answer is lost', 'sync-cut', [
    'unheard = () =>',
    "unheard = () => (name === 'sync' ? new Promise(() => {}) : 0) ||",
  ]),
]

const MARKS: Fault[] = [
  fault('marks not told', 'read', ["await command('mark_as_read', { chatId: room.chatId, upToSeq })", 'await null']),
  fault('marks told once', 'read-lost', [
    "await command('mark_as_read', { chatId: room.chatId, upToSeq })",
    "await command('mark_as_read', { chatId: room.chatId, upToSeq }).catch(() => {})",
  ]),
  fault('marks made away not told', 'read-away', [
    'room.lastReadSeq = Math.max(room.lastReadSeq, upToSeq)',
    "room.lastReadSeq = Math.max(room.lastReadSeq, upToSeq)\n    if (client.state !== 'online') room.toldSeq = room.lastReadSeq",
  ]),
  fault('other devices not heard', 'read-elsewhere', [OWN_MARK, 'if (false) mark']),
  fault("the session's mark ignored", 'read-elsewhere-away', ['else mark(room, chat.lastReadSeq)\n', '\n']),
  fault('marks that go back', 'mark-back', [
    'room.lastReadSeq = Math.max(room.lastReadSeq, seq)',
    'room.lastReadSeq = seq',
  ]),
  fault("others' marks taken for one's own", 'mark-of-others', [OWN_MARK, 'if (rooms.has(chatId)) mark']),
  fault("one's own sends do not move the mark", 'second-device', [
    'if (message.sender.userId === client.userId) mark(room, message.seq)',
    '',
  ]),
]

const SESSIONS: Fault[] = [
  fault('a dead token taken for a ban', 'token-ends', [END, "'refused'"]),
  fault('the first token for ever', 'token-ends', [
    'auth: (answer) => answer({ token: getToken() })',
    'auth: { token: getToken() }',
  ]),
  fault('no refresh_token', 'token-warned', ["command('refresh_token', { token: getToken() }).catch(() => {})", '{}']),
  fault('a drain taken for the end', 'drain', ['why?.retryable === false', 'Boolean(why)']),
  fault('no way back after a passing closing', 'passing', [
    'else if (!socket.active) setTimeout',
    'else if (!why) setTimeout',
  ]),
  fault('back after a final closing', 'final', [BACK, 'if (isFinal && closing) setTimeout(connect, 50)']),
  fault('a revoked token taken for one that has ended', 'revoked', [
    "why.code === 'TOKEN_EXPIRED'",
    "why.code.startsWith('TOKEN_')",
  ]),
  fault('a bad token tried for ever', 'bad-token', [BACK, 'if (isFinal && !closing) setTimeout(connect, 50)']),
  fault(
    'three breaks taken for the end',
    'flapping',
    ['let closing = null', 'let closing = null\n  let breaks = 0'],
    ['end(closing)', 'end((breaks += 1) > 2 ? { retryable: false } : closing)'],
  ),
]

/** Every planted fault. */
export const FAULTS: Fault[] = [...SENDING, ...EVENTS, ...SYNCING, ...MARKS, ...SESSIONS]

/** A source with a fault planted in it. */
export function plant(source: string, { name, edits }: Fault): string {
  return edits.reduce((text, [find, replace]) => {
    const places = text.split(find).length - 1
    if (places !== 1) throw new Error(`${name}: its text stands ${places} times in the plain client`)
    return text.replace(find, () => replace)
  }, source)
}
