import type { Test } from 'tap'
import {
  type ChatClient,
  type ChatClientOptions,
  createChatClient,
  type Room,
  type Store,
} from '../../client/src/index.js'
import type { Message } from '../../client/src/wire.js'
import type { Service } from '../helper.js'

/** A client of the service that ends with the test. */
export function clientOf(
  t: Test,
  service: Pick<Service, 'url' | 'token'>,
  userId: string,
  options: Partial<ChatClientOptions> = {},
): ChatClient {
  const client = createChatClient({
    url: service.url,
    getToken: () => service.token(userId),
    ...options,
    socket: { transports: ['websocket'], reconnectionDelay: 20, reconnectionDelayMax: 200, ...options.socket },
  })
  t.teardown(() => client.close())
  return client
}

const PATIENCE_MS = 20_000

/** Settles when what a store holds fits; answers it. */
export function when<T>(store: Store<T>, what: string, fits: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const check = () => {
      const value = store.get()
      if (!fits(value)) return
      clearTimeout(timer)
      end()
      resolve(value)
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`waited in vain: ${what}; it is ${JSON.stringify(store.get())?.slice(0, 2_000)}`))
    }, PATIENCE_MS)
    const end = store.subscribe(check)
    check()
  })
}

/** Settles when a client is online. */
export const online = (client: ChatClient) => when(client.connection, 'online', ({ state }) => state === 'online')

/** What a room shows of stored messages. */
export const messagesOf = (room: Room): Message[] =>
  room.entries.get().flatMap((entry) => (entry.status === 'stored' ? [entry.message] : []))

/** What a room says, line by line. */
export const linesOf = (room: Room): (string | null)[] => messagesOf(room).map(({ content }) => content)
