/** One place where a law is kept, and what stands there when it is broken. */
export interface Mutant {
  name: string
  /** The law of the contract that it breaks. */
  law: number
  file: string
  /** Its text in the file, where it stands exactly once. */
  find: string
  replace: string
}

/** The laws, each broken in the services' code at least once. */
export const MUTANTS: Mutant[] = [
  {
    name: 'a message is told under its revision as its seq',
    law: 1,
    file: 'services/log/sends.ts',
    find: '    seq,\n    revision,\n    sender: toUser(',
    replace: '    seq: revision,\n    revision,\n    sender: toUser(',
  },
  {
    name: 'an edit is told as a new message',
    law: 2,
    file: 'services/feed/delivery.ts',
    find: "if (kind === 'message_created') return",
    replace: "if (kind !== 'message_deleted') return",
  },
  {
    name: 'nobody is told that a chat has changed',
    law: 2,
    file: 'services/feed/delivery.ts',
    find: "if (kind === 'chat_updated' && chat) return",
    replace: "if (kind === 'chat_updated' && chat && revision % 2) return",
  },
  {
    name: 'a send that failed is acknowledged',
    law: 3,
    file: 'services/log/append.ts',
    find: 'for (const { send, reject } of batch) reject(unknown ? withOutcome(failure, send) : failure)',
    replace: `for (const { send, id, resolve } of batch)
      resolve({ duplicate: false, message: toStored(send, '', ['stored', id, 1, 1, null, null]) })`,
  },
  {
    name: 'what is written is told before the commit',
    law: 3,
    file: 'services/log/append.ts',
    find: '    const sends = batch.map(({ send, id }, ord) => ({',
    replace: `    onWritten([...new Set(batch.map(({ send }) => send.chatId))].map((chatId) => ({
      chatId, range: { after: 2, through: 3 }, changes: [{ chatId, revision: 3, kind: 'message_created' as const,
        message: toStored((batch[0] as Pending).send, '', ['stored', (batch[0] as Pending).id, 1, 3, null, null]) }] })))
    const sends = batch.map(({ send, id }, ord) => ({`,
  },
  {
    name: 'the key of a send is forgotten',
    law: 4,
    file: 'services/log/append.ts',
    find: 'client_message_id: send.clientMessageId ?? null,',
    replace: 'client_message_id: id,',
  },
  {
    name: 'a repeat is answered with the message of another send',
    law: 4,
    file: 'services/log/append.ts',
    find: 'answer(batch[i] as Pending, outcome, stored.get(outcome[1]), at)',
    replace: 'answer(batch[batch.length - 1 - i] as Pending, outcome, stored.get(outcome[1]), at)',
  },
  {
    name: 'who is behind a chat comes in without reading',
    law: 5,
    file: 'services/feed/index.ts',
    find: 'if (served.position === afterRevision) {',
    replace: 'if (served.position >= afterRevision) {',
  },
  {
    name: 'what waits for who is coming is told though they know it',
    law: 5,
    file: 'services/feed/catch-up.ts',
    find: 'if (change.revision > waiting.after) waiting.queue.push(change)',
    replace: 'waiting.queue.push(change)',
  },
  {
    name: 'what lies above a hole is delivered',
    law: 5,
    file: 'services/feed/index.ts',
    find: 'if (change.revision === served.position + 1) {',
    replace: 'if (change.revision > served.position) {',
  },
  {
    name: 'a chat that is served anew is healed by a read of before',
    law: 5,
    file: 'services/feed/healing.ts',
    find: 'if (!isServed(served)) return\n        if (changes',
    replace: 'if (changes',
  },
  {
    name: 'sync tells the oldest of what changed twice',
    law: 6,
    file: 'services/log/reader.ts',
    find: 'if (entity !== undefined) newest.set(',
    replace: 'if (entity !== undefined && !newest.has(JSON.stringify([chatId, entity]))) newest.set(',
  },
  {
    name: 'sync goes on over an absence',
    law: 6,
    file: 'services/log/reader.ts',
    find: 'else if (after < stand.joined_revision - 1 || after > stand.revision) {',
    replace: 'else if (after > stand.revision) {',
  },
  {
    name: 'who is removed stays in the chat',
    law: 7,
    file: 'services/feed/admission.ts',
    find: 'for (const client of here) hub.leave(client, chatId)',
    replace: '',
  },
  {
    name: 'who is removed comes in by what was read before',
    law: 7,
    file: 'services/feed/admission.ts',
    find: 'if (chat.revision <= (removals.get(client)?.get(chat.chatId) ?? 0)) return',
    replace: '',
  },
  {
    name: 'who was removed on the way in is let in',
    law: 7,
    file: 'services/feed/catch-up.ts',
    find: "if (change.kind === 'member_removed' && change.member?.user.userId === client.userId) {",
    replace: "if (change.kind === 'member_removed' && change.member?.user.userId === '') {",
  },
  {
    name: 'a chat is in two batches at once',
    law: 8,
    file: 'services/log/append.ts',
    find: 'if (busy.has(chatId)) continue',
    replace: '',
  },
  {
    name: 'what is missing in the numbers of a node is no gap',
    law: 11,
    file: 'services/bus/remote.ts',
    find: "if (place === 'hole') gap('hole')",
    replace: '',
  },
  {
    name: 'what is lost takes no number',
    law: 11,
    file: 'services/bus/outbox.ts',
    find: 'if (hasLost) number += 1',
    replace: '',
  },
  {
    name: 'after an unknown outcome nobody looks',
    law: 11,
    file: 'services/log/append.ts',
    find: 'if (unknown) onWritten(',
    replace: 'if (unknown && !batch) onWritten(',
  },
  {
    name: 'a gap is read by nobody who serves',
    law: 11,
    file: 'services/feed/index.ts',
    find: '(net ?? bus).onGap(() => verifySoon(chats.keys())),',
    replace: '',
  },
  {
    name: 'a gap compares no sessions with the database',
    law: 11,
    file: 'services/session/index.ts',
    find: '(net ?? bus).onGap(verify),',
    replace: '',
  },
  {
    name: 'a look at the heads that fails is not repeated',
    law: 11,
    file: 'services/feed/healing.ts',
    find: 'for (const chatId of chatIds) unverified.add(chatId)\n        await',
    replace: 'await',
  },
  {
    name: 'who comes into a chat while arriving is not told of it',
    law: 11,
    file: 'services/session/index.ts',
    find: 'for (const chatId of state.missed) void feed.admit(chatId, [userId])',
    replace: '',
  },
  {
    name: 'a revoked token is ended on its own node only',
    law: 11,
    file: 'services/session/verify.ts',
    find: "else if (tokensValidFromMs > (session.issuedAtMs ?? 0)) end(session, 'TOKEN_REVOKED')",
    replace: '',
  },
  {
    name: 'leases are not renewed',
    law: 11,
    file: 'services/presence/index.ts',
    find: 'every(leaseMs / 3, leases.renew)',
    replace: 'every(leaseMs / 3, async () => [])',
  },
  {
    name: 'a connection that goes while its lease is opened leaves it open',
    law: 11,
    file: 'services/presence/index.ts',
    find: 'if (!hub.has(client)) await disconnect(client)',
    replace: '',
  },
  {
    name: 'of two changes of presence the older goes out',
    law: 11,
    file: 'services/presence/announcer.ts',
    find: 'a.version > b.version',
    replace: 'a.version < b.version',
  },
  // What the simulator has found, as it was.
  {
    name: 'packets that come twice hide that the link is dead',
    law: 11,
    file: 'services/bus/sender.ts',
    find: 'echoed = Math.min(echoed + 1, sent)',
    replace: 'echoed += 1',
  },
  {
    name: 'a packet that is never taken is waited for',
    law: 11,
    file: 'services/bus/sender.ts',
    find: 'sent > echoed || isSending ?',
    replace: 'sent > echoed ?',
  },
  {
    name: 'after the unknown outcome of an edit nobody looks',
    law: 11,
    file: 'services/log/index.ts',
    find: "if (message) bus.publish('changes', [{ chatId: message.chatId, range: null }])",
    replace: '',
  },
]
