import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandName, Input } from '../../contract/commands.js'
import { ask } from '../../scripts/socket.js'
import type { ClientSocket } from '../helper.js'
import type { EditRecord, SendRecord } from './checker.js'
import { pick, type Random } from './random.js'
import { now, type Recorder, type Stand } from './recorder.js'

/** A user with one stock client, and the chats they write in. */
export interface Person {
  userId: string
  socket: ClientSocket
  chatIds: string[]
}

export interface LoadOptions {
  people: Person[]
  recorder: Recorder
  random: Random
  /** Sends a second of all together, while the server answers. */
  rate: number
}

const TICK_MS = 20
const ACK_MS = 5_000
/** Between two tries, at most. */
const MOST_WAIT_MS = 1_000
/** A user waits with new messages while so many are unanswered. */
const MOST_UNDER_WAY = 10
const EDIT_SHARE = 0.05
const REACT_SHARE = 0.05
const EMOJI = ['👍', '🎉', '👀']

export type Load = ReturnType<typeof createLoad>

/**
 * What people do: they send with a key and try the same key again until it is acked, edit and react now and then, and after
 * each connection ask `sync` for what they missed. Every step is written down.
 */
export function createLoad({ people, recorder, random, rate }: LoadOptions) {
  const { history } = recorder
  const underWay = new Map<string, number>()
  const works = new Set<Promise<void>>()
  const mine = new Map<string, { id: string; chatId: string }[]>()
  const edits = new Map<string, EditRecord>()
  const reacted = new Set<string>()
  const stands = new Map(people.map(({ userId, socket }) => [userId, recorder.watch(userId, socket)]))
  const count = { retries: 0, draining: 0, duplicates: 0, edits: 0, reactions: 0, syncs: 0 }
  let stopped = false
  let keys = 0
  let due = 0

  /** Tries until the answer is final; null for a refusal. */
  async function insist<C extends CommandName>(
    socket: ClientSocket,
    command: C,
    payload: Input<C>,
    tried?: SendRecord,
  ) {
    for (let attempt = 1; ; attempt += 1) {
      if (attempt > 1) {
        while (!socket.connected) await sleep(20)
        count.retries += 1
      }
      if (tried) tried.attempts = attempt
      const answer = await ask(socket, command, payload, ACK_MS).catch(() => null)
      if (answer?.ok) return answer.data
      if (answer?.error.code === 'DRAINING') count.draining += 1
      if (answer && !answer.error.retryable) {
        if (tried) tried.refused = answer.error.code
        return null
      }
      await sleep(20 + random() * Math.min(80 * attempt, MOST_WAIT_MS))
    }
  }

  function track(userId: string, work: () => Promise<void>): void {
    underWay.set(userId, (underWay.get(userId) ?? 0) + 1)
    const run = work().finally(() => {
      underWay.set(userId, (underWay.get(userId) ?? 0) - 1)
      works.delete(run)
    })
    works.add(run)
  }

  async function send({ userId, socket, chatIds }: Person): Promise<void> {
    const key = `${userId}-${++keys}`
    const chatId = pick(random, chatIds)
    const record: SendRecord = { chatId, userId, key, invokedAt: now(), attempts: 0, acks: [] }
    history.sends.push(record)
    const data = await insist(socket, 'send_message', { chatId, content: key, clientMessageId: key }, record)
    if (!data) return
    const { message, duplicate } = data
    record.acks.push({ at: now(), id: message.id, seq: message.seq, revision: message.revision, duplicate })
    if (duplicate) count.duplicates += 1
    mine.set(userId, [...(mine.get(userId) ?? []).slice(-20), { id: message.id, chatId }])
  }

  async function edit({ userId, socket }: Person): Promise<void> {
    const messages = mine.get(userId) ?? []
    if (messages.length === 0) return
    const { id } = pick(random, messages)
    const record = edits.get(id) ?? { messageId: id, contents: [], acked: -1 }
    // One edit of a message at a time: which of two came last nobody could say.
    if (record.contents.length > record.acked + 1) return
    if (!edits.has(id)) history.edits.push(record)
    edits.set(id, record)
    const at = record.contents.push(`${id} edited ${record.contents.length + 1}`) - 1
    if (await insist(socket, 'edit_message', { messageId: id, content: record.contents[at] as string }))
      record.acked = at
    count.edits += 1
  }

  async function react({ userId, socket, chatIds }: Person): Promise<void> {
    const others = pick(random, people)
    const message = mine.get(others.userId)?.findLast(({ chatId }) => chatIds.includes(chatId))
    const emoji = pick(random, EMOJI)
    const what = JSON.stringify([message?.id, userId, emoji])
    if (!message || reacted.has(what)) return
    reacted.add(what)
    if (await insist(socket, 'add_reaction', { messageId: message.id, emoji })) {
      history.reactions.push({ messageId: message.id, userId, emoji })
    }
    count.reactions += 1
  }

  /** Reads what a connection missed, from the last revision of the one before to where the new one starts. */
  async function catchUp(userId: string, socket: ClientSocket, last: Map<string, number>): Promise<void> {
    const asked = { ...Object.fromEntries(last) }
    for (let pages = 0; Object.keys(asked).length > 0 && pages < 20; pages += 1) {
      const answer = await insist(socket, 'sync', { chats: { ...asked }, limit: 1_000 })
      count.syncs += 1
      for (const [chatId, chat] of Object.entries(answer?.chats ?? {})) {
        const after = asked[chatId] as number
        delete asked[chatId]
        if (!('changes' in chat)) continue
        recorder.page({ userId, chatId, after, through: chat.through }, chat.changes)
        if (chat.more) asked[chatId] = chat.through
      }
    }
  }

  function follow({ userId, socket }: Person): void {
    const { last } = stands.get(userId) as Stand
    socket.on('session', () => {
      const known = new Map(last)
      if (known.size > 0) track(userId, () => catchUp(userId, socket, known))
    })
  }
  for (const person of people) follow(person)

  const timer = setInterval(() => {
    if (stopped) return
    for (due += (rate * TICK_MS) / 1_000; due >= 1; due -= 1) {
      const person = pick(random, people)
      if ((underWay.get(person.userId) ?? 0) >= MOST_UNDER_WAY) continue
      const dice = random()
      const work = dice < EDIT_SHARE ? edit : dice < EDIT_SHARE + REACT_SHARE ? react : send
      track(person.userId, () => work(person))
    }
  }, TICK_MS)

  return {
    count,

    /** Where each user's client stands. */
    stands,

    /** No more is begun; settles when all that was begun is answered, or false when that takes too long. */
    async settle(patienceMs: number): Promise<boolean> {
      stopped = true
      clearInterval(timer)
      const end = now() + patienceMs
      while (works.size > 0 && now() < end) await Promise.race([Promise.all(works), sleep(200)])
      return works.size === 0
    },

    /** How many things are unanswered. */
    underWay: () => works.size,
  }
}
