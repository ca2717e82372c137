// What the tests of the hooks show in a browser: small components that count how often they render.
import { type ChatClient, createChatClient, type Store } from 'chat-socket-client'
import {
  ChatProvider,
  useChats,
  useConnection,
  useOutbox,
  usePresence,
  useRoom,
  useUnread,
  useUser,
} from 'chat-socket-client/react'
import { type ReactNode, StrictMode, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'

const renders: Record<string, number> = {}
const count = (name: string) => {
  renders[name] = (renders[name] ?? 0) + 1
}

/** Every `send` that a render was given. */
const sends = new Set<unknown>()

function Messages({ chatId }: { chatId: string }) {
  count(`messages of ${chatId}`)
  const { entries } = useRoom(chatId)
  return (
    <ol aria-label={chatId}>
      {entries.map((entry) => (
        <li key={entry.key}>
          {entry.status === 'stored' ? entry.message.content : `${entry.status}: ${entry.pending.draft.content}`}
        </li>
      ))}
    </ol>
  )
}

function Composer({ chatId }: { chatId: string }) {
  count('composer')
  const { send } = useRoom(chatId)
  sends.add(send)
  return (
    <button type="button" onClick={() => send({ content: 'from a button' })}>
      Send
    </button>
  )
}

function Typing({ chatId }: { chatId: string }) {
  const { typing } = useRoom(chatId)
  const bob = useUser('bob')
  return <p title="typing">{typing.includes('bob') ? `${bob?.name} types` : 'nobody types'}</p>
}

function Titles() {
  const chats = useChats()
  return (
    <ul aria-label="chats">
      {chats.map((chat) => (
        <li key={chat.chatId}>{`${chat.title}: ${chat.lastMessage?.content}`}</li>
      ))}
    </ul>
  )
}

/** Only the chats of one name, by a function that is another in each render. */
function Chosen({ title }: { title: string }) {
  count('chosen')
  const chats = useChats((chat) => chat.title === title)
  return <p title="chosen">{chats.map((chat) => chat.lastMessage?.content).join()}</p>
}

function Status() {
  const { state } = useConnection()
  const { messages } = useUnread()
  const { entries } = useOutbox()
  return <p role="status">{`${state}, ${messages} unread, ${entries.length} waiting`}</p>
}

function Presence() {
  const [turn, setTurn] = useState(0)
  // A new list in each render.
  const { bob } = usePresence(['bob'])
  return <button type="button" onClick={() => setTurn(turn + 1)}>{`bob is ${bob?.status}, ${turn}`}</button>
}

interface Shown {
  parts: string[]
  chatId: string
  title?: string
  isStrict?: boolean
  /** The provider makes the client. */
  isOwner?: boolean
}

function partsOf({ parts, chatId, title = '' }: Shown): ReactNode {
  const all: Record<string, ReactNode> = {
    messages: <Messages chatId={chatId} />,
    composer: <Composer chatId={chatId} />,
    typing: <Typing chatId={chatId} />,
    titles: <Titles />,
    chosen: <Chosen title={title} />,
    status: <Status />,
    presence: <Presence />,
  }
  return parts.map((name) => <div key={name}>{all[name]}</div>)
}

const counted = { subscriptions: 0, latest: 0, watches: 0 }
const rooms = new Set<object>()

function countStore(store: Store<unknown>) {
  const subscribe = store.subscribe
  store.subscribe = (listener) => {
    const end = subscribe(listener)
    counted.subscriptions += 1
    let isOver = false
    return () => {
      if (!isOver) counted.subscriptions -= 1
      isOver = true
      end()
    }
  }
}

/** The client, with what the hooks do to it counted. */
function countClient(client: ChatClient): ChatClient {
  const { connection, me, chats, unread, outbox, users } = client
  for (const store of [connection, me, chats, unread, outbox, users]) countStore(store)
  return {
    ...client,
    room(chatId) {
      const room = client.room(chatId)
      if (rooms.has(room)) return room
      rooms.add(room)
      for (const store of [room.chat, room.entries, room.history, room.marks, room.typing]) countStore(store)
      const latest = room.latest
      room.latest = () => {
        counted.latest += 1
        return latest()
      }
      return room
    },
    presenceOf(userIds) {
      counted.watches += 1
      const store = client.presenceOf(userIds)
      countStore(store)
      return store
    },
  }
}

let client: ChatClient | undefined
let mounted: Root | undefined

const page = {
  renders,
  counted,
  sends: () => sends.size,
  mount(token: string, shown: Shown) {
    const options = { url: location.origin, getToken: () => token }
    if (!shown.isOwner) client ??= countClient(createChatClient(options))
    const provider = shown.isOwner ? { options } : { client: client as ChatClient }
    const tree = <ChatProvider {...provider}>{partsOf(shown)}</ChatProvider>
    mounted = createRoot(document.getElementById('app') as HTMLElement)
    mounted.render(shown.isStrict ? <StrictMode>{tree}</StrictMode> : tree)
  },
  unmount() {
    mounted?.unmount()
    mounted = undefined
  },
}

declare global {
  interface Window {
    page: typeof page
  }
}
window.page = page
