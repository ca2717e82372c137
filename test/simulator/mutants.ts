import { NODE_MUTANTS } from './node-mutants.js'

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
    find: "change.kind === 'member_removed' && change.member?.user.userId === client.userId",
    replace: "change.kind === 'member_removed' && change.member?.user.userId === ''",
  },
  {
    name: 'a chat is in two batches at once',
    law: 8,
    file: 'services/log/lanes.ts',
    find: 'if (busy.has(key)) continue',
    replace: '',
  },
  ...NODE_MUTANTS,
]
