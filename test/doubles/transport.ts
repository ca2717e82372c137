import type { Closing } from '../../contract/closings.js'
import type { Audience, Client, Delivery, Slow, Transport } from '../../services/hub/ports.js'

/** A client that keeps what it was told. */
export interface MemoryClient extends Client {
  readonly told: Delivery[]
  isOpen: boolean
  /** Whether it takes nothing more. */
  isStuck: boolean
  /** Why the server ended it. */
  closing: Closing | null
}

/** The Hub's transport in memory: chats are sets of clients. */
export class MemoryTransport implements Transport {
  readonly #clients = new Map<string, MemoryClient>()
  readonly #chats = new Map<string, Set<MemoryClient>>()
  readonly #gone: ((client: MemoryClient) => void)[] = []
  readonly #empty: ((chatId: string) => void)[] = []
  readonly #slow: ((slow: Slow) => void)[] = []
  readonly #prefix: string

  /** The prefix is of its clients' ids. */
  constructor(prefix = 's') {
    this.#prefix = prefix
  }

  /** A connection begins. */
  connect(userId: string): MemoryClient {
    const id = `${this.#prefix}${this.#clients.size + 1}`
    const client: MemoryClient = { id, userId, told: [], isOpen: true, isStuck: false, closing: null }
    this.#clients.set(client.id, client)
    return client
  }

  /** A connection ends by itself. */
  drop(client: MemoryClient): void {
    if (!client.isOpen) return
    client.isOpen = false
    for (const chatId of [...this.#chats.keys()]) this.leave(client, chatId)
    for (const listener of this.#gone) listener(client)
  }

  /** Hears of connections that have ended. */
  onGone(listener: (client: MemoryClient) => void): void {
    this.#gone.push(listener)
  }

  /** A client does not take what it is sent. */
  jam(client: Client): void {
    const here = this.#open(client)
    if (!here) return
    here.isStuck = true
    for (const listener of this.#slow) listener({ client, bytes: 1e6 })
  }

  join = (client: Client, chatId: string): void => {
    const here = this.#open(client)
    if (here) this.#chats.set(chatId, (this.#chats.get(chatId) ?? new Set()).add(here))
  }

  leave = (client: Client, chatId: string): void => {
    const here = this.#clients.get(client.id)
    const clients = this.#chats.get(chatId)
    if (!here || !clients?.delete(here) || clients.size > 0) return
    this.#chats.delete(chatId)
    for (const listener of this.#empty) listener(chatId)
  }

  isIn = (client: Client, chatId: string): boolean => this.#in(chatId).some(({ id }) => id === client.id)
  serves = (chatId: string): boolean => this.#chats.has(chatId)
  onEmpty = (listener: (chatId: string) => void): void => void this.#empty.push(listener)
  onSlow = (listener: (slow: Slow) => void): void => void this.#slow.push(listener)

  deliver(chatId: string, deliveries: Delivery[], except: ReadonlySet<Client> = new Set()): number {
    const reached = this.#in(chatId).filter((client) => !except.has(client))
    for (const client of reached) client.told.push(...deliveries)
    return reached.length
  }

  tell(client: Client, delivery: Delivery): void {
    this.#open(client)?.told.push(delivery)
  }

  signal({ chatIds = [], clients = [], except = [] }: Audience, delivery: Delivery): void {
    const passedOver = new Set(Array.from(except, ({ id }) => id))
    const audience = new Set([...chatIds.flatMap(this.#in), ...clients])
    for (const client of audience) if (!passedOver.has(client.id)) this.tell(client, delivery)
  }

  finish = async (): Promise<void> => {}

  end(client: Client, closing: Closing): void {
    const here = this.#open(client)
    if (!here) return
    if (!here.isStuck) here.told.push({ event: 'closing', payload: closing })
    here.closing = closing
    this.drop(here)
  }

  stop(): void {}

  readonly #in = (chatId: string): MemoryClient[] => [...(this.#chats.get(chatId) ?? [])]

  #open(client: Client): MemoryClient | undefined {
    const here = this.#clients.get(client.id)
    return here?.isOpen ? here : undefined
  }
}
