import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandName } from '../../contract/commands.js'
import { createRandom, pick } from '../faults/random.js'
import { tokenOf } from '../faults/server.js'
import { call, each } from './call.js'
import { createClient, type SoakClient } from './client.js'

export interface CrowdOptions {
  url: string
  /** What its users and chats are named by. */
  name: string
  /** Sockets that are connected at a time. */
  sockets: number
  /** Of all that is done, how much: 1 is 200 sends a second and 50 comings. */
  share: number
  seed: number
}

const PER_CHAT = 20
const CHATS_PER_USER = 2
const TICK_MS = 50
const SENDS_KEPT = 500
const WORDS = ['hello', 'harbour', 'lantern', 'copper', 'winter', 'meadow', 'signal', 'velvet']

/** What is done in a second, at full share. */
const A_SECOND = {
  send: 200,
  typing: 100,
  read: 40,
  react: 20,
  edit: 20,
  delete: 5,
  presence: 20,
  watch: 20,
  unwatch: 20,
  history: 20,
  list: 10,
  sync: 5,
  search: 2,
  refresh: 2,
  join: 5,
  part: 5,
  churn: 50,
}
type Doing = keyof typeof A_SECOND
const DOINGS = Object.keys(A_SECOND) as Doing[]

/** Many people, who come and go, write, read, look after each other and do all else that there is to do. */
export async function createCrowd({ url, name, sockets, share, seed }: CrowdOptions) {
  const random = createRandom(seed)
  const users = Array.from({ length: Math.ceil(sockets * 0.8) }, (_, i) => `${name}-${i}`)
  const chatCount = Math.max(2, Math.ceil((users.length * CHATS_PER_USER) / PER_CHAT))
  const chats = Array.from({ length: chatCount }, (_, i) => `${name}-room-${i}`)
  const chatsOf = new Map(
    users.map((userId, i) => [userId, [chats[i % chatCount], chats[(i * 7 + 1) % chatCount]] as string[]]),
  )
  const here: SoakClient[] = []
  const asleep = new Set<SoakClient>()
  const sent: { messageId: string; userId: string }[] = []
  const counts = { connections: 0, commands: 0, events: 0, refused: {} as Record<string, number> }
  let latencies: number[] = []
  let due = { ...A_SECOND }
  for (const doing of DOINGS) due[doing] = 0
  let timer: NodeJS.Timeout | undefined

  await each(users, (userId) => must('PUT', `/users/${userId}`, { name: userId }))
  await each(chats, (chatId) =>
    must('POST', '/chats', {
      type: 'group',
      chatId,
      memberIds: users.filter((userId) => chatsOf.get(userId)?.includes(chatId)),
    }),
  )

  async function must(method: string, path: string, body: object): Promise<void> {
    const { status, text } = await call(url, method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
  }

  function come(): void {
    counts.connections += 1
    const userId = pick(random, users)
    const client = createClient({
      url,
      userId,
      token: random() < 0.02 ? 'no token' : tokenOf(userId),
      onEvent: () => {
        counts.events += 1
      },
      onGone(client) {
        asleep.delete(client)
        const at = here.indexOf(client)
        if (at >= 0) here.splice(at, 1)
      },
    })
    here.push(client)
  }

  function ask(client: SoakClient, command: CommandName, payload: object, done?: (text: string) => void): void {
    const startedAt = performance.now()
    counts.commands += 1
    client.ask(command, payload, (code, text) => {
      if (code === 'OK') done?.(text)
      else counts.refused[code] = (counts.refused[code] ?? 0) + 1
      if (command === 'send_message' && code === 'OK') latencies.push(performance.now() - startedAt)
    })
  }

  const words = () => Array.from({ length: 3 + Math.floor(random() * 8) }, () => pick(random, WORDS)).join(' ')
  const someUsers = () => Array.from({ length: 5 }, () => pick(random, users))

  function onMine(client: SoakClient, command: CommandName, more: object): void {
    const mine = sent.findLast(({ userId }) => userId === client.userId)
    if (mine) ask(client, command, { messageId: mine.messageId, ...more })
  }

  function act(doing: Doing, client: SoakClient): void {
    const { userId } = client
    const chatId = pick(random, chatsOf.get(userId) ?? chats)
    if (doing === 'send')
      ask(client, 'send_message', { chatId, content: words() }, (text) => {
        const messageId = /"message":\{"id":"([^"]+)"/.exec(text)?.[1]
        if (messageId && sent.push({ messageId, userId }) > SENDS_KEPT) sent.shift()
      })
    else if (doing === 'typing') ask(client, 'typing', { chatId, isTyping: random() < 0.7 })
    else if (doing === 'read') ask(client, 'mark_as_read', { chatId, upToSeq: 1_000_000 })
    else if (doing === 'react') onMine(client, 'add_reaction', { emoji: pick(random, ['👍', '🎉', '👀']) })
    else if (doing === 'edit') onMine(client, 'edit_message', { content: words() })
    else if (doing === 'delete') onMine(client, 'delete_message', {})
    else if (doing === 'presence')
      ask(client, 'set_presence', { status: pick(random, ['online', 'away', 'dnd', 'invisible']) })
    else if (doing === 'watch') ask(client, 'watch_presence', { userIds: someUsers() })
    else if (doing === 'unwatch') ask(client, 'unwatch_presence', { userIds: someUsers() })
    else if (doing === 'history') ask(client, 'get_messages', { chatId, limit: 20 })
    else if (doing === 'list') ask(client, 'list_chats', {})
    else if (doing === 'sync') ask(client, 'sync', { chats: { [chatId]: Math.floor(random() * 1_000) }, limit: 50 })
    else if (doing === 'search') ask(client, 'search_messages', { query: pick(random, WORDS), chatId, limit: 10 })
    else if (doing === 'refresh') ask(client, 'refresh_token', { token: tokenOf(userId) })
    else if (doing === 'join')
      void call(url, 'POST', `/chats/${pick(random, chats)}/members`, { userIds: [userId] }).catch(() => {})
    else if (doing === 'part')
      void call(url, 'DELETE', `/chats/${pick(random, chats)}/members/${userId}`).catch(() => {})
    else churn(client)
  }

  function churn(client: SoakClient): void {
    const how = random()
    if (how < 0.05) asleep.add(client)
    client.go(how < 0.05 ? 'sleep' : how < 0.4 ? 'terminate' : how < 0.7 ? 'close' : how < 0.85 ? 'leave' : 'logout')
  }

  function tick(): void {
    for (const doing of DOINGS) {
      due[doing] += (A_SECOND[doing] * share * TICK_MS) / 1_000
      for (; due[doing] >= 1 && here.length > 0; due[doing] -= 1) {
        const client = pick(random, here)
        if (client.isIn() && !asleep.has(client)) act(doing, client)
      }
    }
    // Who went is followed by somebody else; at first all come at the pace of the churn.
    const most = Math.max(1, Math.ceil((A_SECOND.churn * share * TICK_MS * 4) / 1_000))
    for (let i = 0; i < most && here.length - asleep.size < sockets; i += 1) come()
  }

  return {
    users: users.length,
    counts,
    size: () => here.length,

    start(): void {
      due = { ...due }
      timer = setInterval(tick, TICK_MS)
    },

    /** The middle and the slowest hundredth of the sends since the last look, in milliseconds. */
    latency(): { p50: number; p99: number } {
      const sorted = latencies.sort((a, b) => a - b)
      latencies = []
      const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10
      return { p50: at(0.5), p99: at(0.99) }
    },

    /** All go, and nobody follows. */
    async leave(): Promise<void> {
      clearInterval(timer)
      for (const client of [...here]) client.go(random() < 0.5 ? 'close' : 'terminate')
      for (const end = Date.now() + 10_000; here.length > 0 && Date.now() < end; await sleep(50)) {
        for (const client of [...here]) client.go('terminate')
      }
    },
  }
}
