import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import {
  type ChatClient,
  type ChatClientOptions,
  type Connection,
  createChatClient,
  type MyChat,
  type OutboxEntry,
  type Presence,
  type Room,
  type Store,
  type UnreadTotals,
  type User,
} from './index.js'

/** What a provider is given: a client that you made, or the options of one that lives as long as the provider. */
export type ChatProviderProps = { children?: ReactNode } & (
  | { client: ChatClient; options?: undefined }
  | { client?: undefined; options: ChatClientOptions }
)

/** Which chats a list shows: those of `list_chats`, or what you choose. */
export type ChatFilter = 'active' | 'archived' | 'unread' | 'all' | ((chat: MyChat) => boolean)

/** A room with the values of its stores in the place of the stores. Its functions are the same in each render. */
export type RoomView = { readonly [K in keyof Room]: Room[K] extends Store<infer T> ? T : Room[K] }

const ClientContext = createContext<ChatClient | null>(null)

/**
 * Gives a client to the hooks below it. With `options`, which are read when it mounts, it makes a client and closes it when it unmounts;
 * give it a `key` of the user, so that another user gets another client. Until there is a client nothing below it is rendered.
 */
export function ChatProvider({ client, options, children }: ChatProviderProps): ReactNode {
  const [own, setOwn] = useState<ChatClient | null>(null)
  const first = useRef(options)
  // In an effect, and in the next turn: StrictMode drops a first render, and ends a first effect at once, each with a client that would connect.
  useEffect(() => {
    const made = client ? undefined : first.current
    let mine: ChatClient | undefined
    let isOver = false
    queueMicrotask(() => {
      if (isOver || !made) return
      mine = createChatClient(made)
      setOwn(mine)
    })
    return () => {
      isOver = true
      setOwn(null)
      void mine?.close()
    }
  }, [client])
  const value = client ?? own
  return value && createElement(ClientContext.Provider, { value }, children)
}

/** The client of the nearest provider. */
export function useChatClient(): ChatClient {
  const client = useContext(ClientContext)
  if (!client) throw new Error('useChatClient needs a <ChatProvider> above it')
  return client
}

/** The value of any store of the client; renders when it is another. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get)
}

/** The state of the connection, and why it ended or was refused. */
export function useConnection(): Connection {
  return useStore(useChatClient().connection)
}

/** Who one is; null before the first session. */
export function useMe(): User | null {
  return useStore(useChatClient().me)
}

/** The totals of what is unread. */
export function useUnread(): UnreadTotals {
  return useStore(useChatClient().unread)
}

/** The profile of somebody, where it is known. */
export function useUser(userId: string): User | undefined {
  const { users } = useChatClient()
  const get = () => users.get()[userId]
  return useSyncExternalStore(users.subscribe, get, get)
}

/** One's chats, pinned first, then by newest activity: without a filter those that are neither archived nor hidden. */
export function useChats(filter: ChatFilter = 'active'): MyChat[] {
  const { chats } = useChatClient()
  const last = useRef<MyChat[]>([])
  const get = () => {
    const next = chats.get().filter(typeof filter === 'function' ? filter : FILTERS[filter])
    if (!isSame(next, last.current)) last.current = next
    return last.current
  }
  return useSyncExternalStore(chats.subscribe, get, get)
}

const isActive = ({ settings }: MyChat): boolean => !settings.isArchived && !settings.isHidden

const FILTERS = {
  all: () => true,
  active: isActive,
  archived: ({ settings }: MyChat) => settings.isArchived && !settings.isHidden,
  unread: (chat: MyChat) => isActive(chat) && (chat.unreadCount > 0 || chat.settings.isMarkedUnread),
}

const isSame = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((item, index) => item === others[index])

/** The presence of these people by their ids; they are watched while the component is there. */
export function usePresence(userIds: readonly string[]): Readonly<Record<string, Presence>> {
  const client = useChatClient()
  // An id holds no control character.
  const ids = userIds.join('\n')
  return useStore(useMemo(() => client.presenceOf(ids ? ids.split('\n') : []), [client, ids]))
}

/** What waits to be sent or was refused, in all chats. */
export function useOutbox(): { entries: OutboxEntry[]; retry(key: string): void; discard(key: string): void } {
  const { outbox } = useChatClient()
  const entries = useStore(outbox)
  return useMemo(() => ({ entries, retry: outbox.retry, discard: outbox.discard }), [outbox, entries])
}

const PARTS = ['chat', 'entries', 'history', 'marks', 'typing'] as const

/** Rooms whose latest messages were asked for: once, however many components show one. */
const opened = new WeakSet<Room>()

/**
 * A room: its values, and functions that are the same in each render. The first component that uses it loads the latest messages. It renders
 * for those of `chat`, `entries`, `history`, `marks` and `typing` that were read: one that only takes `send` does not render for a message.
 */
export function useRoom(chatId: string): RoomView {
  const room = useChatClient().room(chatId)
  const watch = useMemo(() => watchRead(room), [room])
  const values = useSyncExternalStore(watch.subscribe, watch.get, watch.get)
  useEffect(() => {
    if (opened.has(room)) return
    opened.add(room)
    room.latest().catch(() => opened.delete(room))
  }, [room])
  // Another view where a value is another: a memo that holds a view would hold what it was.
  return useMemo(() => watch.view(), [watch, values])
}

/** A room as one store, which changes only where a part changes that was read of a view of it. */
function watchRead(room: Room) {
  const read = new Set<number>()
  const valuesNow = () => PARTS.map((part) => room[part].get())
  let last = valuesNow()
  return {
    get() {
      const now = valuesNow()
      if (now.some((value, index) => read.has(index) && value !== last[index])) last = now
      return last
    },
    subscribe(listener: () => void) {
      const ends = PARTS.map((part) => room[part].subscribe(listener))
      return () => {
        for (const end of ends) end()
      }
    },
    view(): RoomView {
      const view = { ...room }
      for (const [index, part] of PARTS.entries()) {
        const get = () => {
          read.add(index)
          return room[part].get()
        }
        Object.defineProperty(view, part, { get })
      }
      return view as unknown as RoomView
    },
  }
}
