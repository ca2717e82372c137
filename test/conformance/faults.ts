/** A mistake that people make when they write a client: a change of the plain client's source. */
export interface Fault {
  name: string
  /** The scenario that must find it. */
  foundBy: string
  /** What stands there exactly once, and what stands there instead. */
  edits: [find: string, replace: string][]
}

const ON_REFUSAL = 'if (error.retryable) await sleep(error.retryAfterMs ?? AGAIN_MS)\n        else'
const DROP = 'outbox.splice(outbox.indexOf(item), 1)'
const FAIL = 'else item.error = error'
const SET = 'room.messages.set(seq, message)'

const fault = (name: string, foundBy: string, ...edits: Fault['edits']): Fault => ({ name, foundBy, edits })

const SENDING: Fault[] = [
  fault('a new key for each try', 'lost-ack', ['clientMessageId: item.key', 'clientMessageId: String(Math.random())']),
  fault('no second try', 'lost-send', [ON_REFUSAL, `if (error.retryAfterMs === 0) ${DROP}\n        else`]),
  fault('an outbox that ends with the connection', 'queue-cut', [
    "away('offline')",
    "outbox.length = 0\n    away('offline')",
  ]),
  fault('an outbox that waits for the next send', 'written-away', [
    'reads.keys()) flushRead(chatId)\n    flush()',
    'reads.keys()) flushRead(chatId)',
  ]),
  fault('others first after a refusal', 'overloaded', [
    ON_REFUSAL,
    `if (error.retryable) outbox.push(...${DROP})\n        else`,
  ]),
  fault('a second try at once', 'rate-limited', [ON_REFUSAL, 'if (error.retryable) await sleep(0)\n        else']),
  fault('a final refusal tried for ever', 'refused', [FAIL, 'else await sleep(50)']),
  fault('a final refusal that nobody hears of', 'refused', [FAIL, `else ${DROP}`]),
  fault('a frame that is too large', 'oversize', ['size > MAX_BYTES - 1_024', 'size > 1e9']),
  fault('a conflict of keys taken for success', 'key-conflict', [
    FAIL,
    `else if (error.code === 'IDEMPOTENCY_CONFLICT') ${DROP}\n        ${FAIL}`,
  ]),
  fault('a new key after a conflict', 'key-conflict', [
    FAIL,
    `else if (error.code === 'IDEMPOTENCY_CONFLICT') item.key += '-2'\n        ${FAIL}`,
  ]),
  fault('ack and event both shown', 'ack-first', [
    'if (room) put(room, message)',
    'if (room) room.messages.set(message.id, message)',
  ]),
]

const EVENTS: Fault[] = [
  fault(
    'old revisions taken for new ones',
    'stale',
    ['!room || payload.revision <= room.revision', '!room'],
    ['room.revision = payload.revision', 'room.revision = Math.max(room.revision, payload.revision)'],
    ['seq < room.firstSeq || revision <= (room.messages.get(seq)?.revision ?? 0)', 'seq < room.firstSeq'],
  ),
  fault('holes passed over', 'hole', ['payload.revision > room.revision + 1 || room.isBusy', 'room.isBusy']),
  fault('events in the order in which they come', 'swapped', [
    'payload.revision > room.revision + 1 || room.isBusy',
    'room.isBusy',
  ]),
  fault(
    'repeats that count on',
    'repeated',
    ['!room || payload.revision <= room.revision', '!room'],
    ['room.revision = payload.revision', 'room.revision += 1'],
  ),
  fault('deleted messages taken away', 'deleted', [
    SET,
    `if (message.deletedAt) room.messages.delete(seq)\n    else ${SET}`,
  ]),
  fault('expiry not heard', 'expired', [
    "if (event === 'messages_expired') expire(room, payload.throughSeq)",
    "if (event === 'messages_expired') return",
  ]),
  fault('removal not heard', 'removed', ["socket.on('chat_removed'", "socket.on('chat_left'"]),
]

const SYNCING: Fault[] = [
  fault('no sync after coming back', 'away-messages', [
    'for (const [chatId] of rooms) behind(chatId, chats.get(chatId).revision)',
    '',
  ]),
  fault('new messages alone from sync', 'away-edit', [
    'else if (change.message) put',
    "else if (change.type === 'message_created') put",
  ]),
  fault('reactions as they were', 'away-reaction', [
    SET,
    'room.messages.set(seq, { ...message, reactions: room.messages.get(seq)?.reactions ?? [] })',
  ]),
  fault('deletions not taken from sync', 'away-deleted', [
    'else if (change.message) put',
    'else if (change.message && !change.message.deletedAt) put',
  ]),
  fault('expiry not taken from sync', 'away-expired', [
    "if (change.type === 'messages_expired') expire(room, change.throughSeq)\n      else if",
    'if',
  ]),
  fault('chats that the session does not name kept', 'away-removed', [
    'if (!chats.has(chatId)) rooms.delete(chatId)',
    'if (!chats.has(chatId)) chats.set(chatId, { revision: 0, lastReadSeq: 0 })',
  ]),
  fault('reset ignored', 'reset', [
    'if (answer.reset) return load(chatId, room)',
    'if (answer.reset) return void (room.revision = answer.head)',
  ]),
  fault('gone ignored', 'gone', ['return void rooms.delete(chatId)', 'return void (room.revision = room.head)']),
  fault('sync goes on from the head', 'pages', ['Math.max(room.revision, answer.through)', 'answer.head']),
  fault('one page of sync', 'pages', ['room.head = Math.max(room.head, answer.head)', 'room.head = room.revision']),
  fault('live events lost during sync', 'seam', [
    'if (payload.revision > room.revision + 1 || room.isBusy) return',
    'if (room.isBusy) return\n    if (payload.revision > room.revision + 1) return',
  ]),
  fault('sync given up', 'sync-refused', ['if (!error.retryable) break', 'break']),
]

const MARKS: Fault[] = [
  fault('marks not told', 'read', ["await command('mark_as_read', { chatId, upToSeq })", 'await null']),
  fault('marks told once', 'read-lost', [
    'if (error.retryable) return void sleep(error.retryAfterMs ?? AGAIN_MS).then(() => flushRead(chatId))',
    'void error',
  ]),
  fault('marks made away not told', 'read-away', ['for (const chatId of reads.keys()) flushRead(chatId)', '']),
  fault('other devices not heard', 'read-elsewhere', [
    'if (userId === session.user.userId) mark(chatId, lastReadSeq)',
    'void [userId, chatId, lastReadSeq]',
  ]),
  fault("the session's mark ignored", 'read-elsewhere-away', [
    'for (const [chatId] of rooms) mark(chatId, chats.get(chatId).lastReadSeq)',
    '',
  ]),
  fault('marks that go back', 'mark-back', [
    'room.lastReadSeq = Math.max(room.lastReadSeq, seq)',
    'room.lastReadSeq = seq',
  ]),
  fault("others' marks taken for one's own", 'mark-of-others', [
    'if (userId === session.user.userId) mark(chatId, lastReadSeq)',
    'if (userId) mark(chatId, lastReadSeq)',
  ]),
  fault("one's own sends do not move the mark", 'second-device', [
    'if (sender.userId === session.user.userId) mark(chatId, seq)',
    'void [sender, chatId]',
  ]),
]

const SESSIONS: Fault[] = [
  fault('a dead token taken for a ban', 'token-ends', [
    "return away(closing.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused')",
    "return away('refused')",
  ]),
  fault('the first token for ever', 'token-ends', [
    'const auth = (send) => send({ token: getToken() })',
    'let first\n  const auth = (send) => send({ token: (first ??= getToken()) })',
  ]),
  fault('no refresh_token', 'token-warned', ["command('refresh_token', { token: getToken() }).catch(() => {})", '{}']),
  fault('a drain taken for the end', 'drain', ["away('offline')", "away(closing ? 'refused' : 'offline')"]),
  fault('no way back after a passing closing', 'passing', [
    "if (reason === 'io server disconnect') setTimeout(connect, closing?.reconnectInMs ?? AGAIN_MS)",
    '',
  ]),
  fault('back after a final closing', 'final', [
    "return away(closing.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused')",
    'return void setTimeout(connect, 50)',
  ]),
  fault('a bad token tried for ever', 'bad-token', [
    "else away(['TOKEN_EXPIRED', 'UNAUTHENTICATED'].includes(data?.code) ? 'needs-token' : 'refused')",
    'else setTimeout(connect, 50)',
  ]),
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
