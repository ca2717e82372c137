import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type State, startChild } from './child.js'
import { type FaultProxy, type Rule, startProxy } from './proxy.js'
import type { Service } from './service.js'
import { chatFault, type Sent, sendFault, type Truth, truthOf } from './truth.js'

const LOOK_MS = 30

/** What a scenario plays on: the client under test as `me`, the proxy before the service, and a chat with one more member. */
export type Stage = Awaited<ReturnType<typeof openStage>>

/** Settles as the promise does, or fails in a sentence. */
export async function within<T>(patienceMs: number, what: string, promise: Promise<T>): Promise<T> {
  const late = new AbortController()
  const tooLate = sleep(patienceMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`waited in vain: ${what}`)
  })
  tooLate.catch(() => {})
  return Promise.race([promise, tooLate]).finally(() => late.abort())
}

/** Sets a stage: people and a chat of their own, a proxy, and a client that runs but is not told anything yet. */
export async function openStage(service: Service, command: string[], patienceMs: number) {
  const { call } = service
  const name = randomUUID().slice(0, 8)
  const me = `me-${name}`
  const other = `other-${name}`
  for (const userId of [me, other]) await call('PUT', `/users/${userId}`, { name: userId })
  // Who joined last sees nothing from before: a reset must be told from a page of changes.
  const { chat } = await call(
    'POST',
    '/chats',
    { type: 'group', memberIds: [me], title: name, historyVisibility: 'joined' },
    other,
  )
  const chatId: string = chat.chatId
  const proxy: FaultProxy = await startProxy(service.url)
  const client: Child = await startChild(command).catch(async (error: unknown) => {
    await proxy.close()
    throw error
  })
  const sent: Sent[] = []

  /** Waits until the client says something that fits. */
  async function until(what: (state: State) => string | null | Promise<string | null>): Promise<State> {
    for (const end = Date.now() + patienceMs; ; await sleep(LOOK_MS)) {
      const state = await client.dump()
      const fault = await what(state)
      if (fault === null) return state
      if (Date.now() > end) throw new Error(fault)
    }
  }

  const connection = (wanted: State['connection']) => (state: State) =>
    state.connection === wanted ? null : `the connection is ${state.connection} in place of ${wanted}`

  /** Waits until the client is online, has sent all, and shows what the server has. */
  async function settle(): Promise<Truth | null> {
    let truth: Truth | null = null
    await until(async (state) => {
      truth = await truthOf(service, chatId, me)
      const fault = sendFault(state, truth, me, sent) ?? chatFault(state.chats[chatId], truth)
      return connection('online')(state) ?? fault
    })
    return truth
  }

  return {
    service,
    proxy,
    client,
    me,
    other,
    chatId,
    patienceMs,
    until,
    settle,

    /** Connects the client and has it open the chat. */
    async start(): Promise<void> {
      await client.order('connect', { url: proxy.url, token: service.token(me) })
      await client.order('open', { chatId })
      await settle()
    },

    /** Waits for a state of the connection. */
    is: (wanted: State['connection']): Promise<State> => until(connection(wanted)),

    /** Has the client send something; `isBad` where it can only be refused. */
    async send(content: string, isBad = false): Promise<void> {
      const key = `key-${sent.length + 1}-${name}`
      sent.push({ key, content, isBad })
      await client.order('send', { chatId, key, content })
    },

    /** Sets a rule; settles when it is used up, and fails if that takes too long. */
    rule: (rule: Rule): Promise<void> =>
      within(patienceMs, `${rule.times ?? 1} × ${rule.of} from the ${rule.from}`, proxy.rule(rule)),

    /** Someone else's device, or another one of the same user: a send over REST. */
    async post(userId: string, content: string, clientMessageId?: string): Promise<{ id: string; seq: number }> {
      const body = { content, ...(clientMessageId && { clientMessageId }) }
      return (await call('POST', `/chats/${chatId}/messages`, body, userId)).message
    },
    edit: (userId: string, messageId: string, content: string) =>
      call('PATCH', `/messages/${messageId}`, { content }, userId),
    remove: (userId: string, messageId: string) => call('DELETE', `/messages/${messageId}`, undefined, userId),
    react: (userId: string, messageId: string, emoji: string) =>
      call('PUT', `/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`, undefined, userId),
    read: (userId: string, upToSeq: number) => call('POST', `/chats/${chatId}/read`, { upToSeq }, userId),
    removeMember: () => call('DELETE', `/chats/${chatId}/members/${me}`, undefined, other),
    addMember: () => call('POST', `/chats/${chatId}/members`, { userIds: [me] }, other),

    /** Takes the connection away while something happens, and lets it come back. */
    async away(happens: () => Promise<unknown>): Promise<void> {
      proxy.cut(true)
      await until(({ connection }) => (connection === 'online' ? 'the client has not noticed the cut' : null))
      await happens()
      proxy.open()
    },

    async close(): Promise<void> {
      await client.close()
      await proxy.close()
    },
  }
}

/** Fails in a sentence where something does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
