// The line protocol for client/. Usage: node dist/conformance/clients/ours.js
import { createInterface } from 'node:readline'
import { type ChatClient, ChatClientError, createChatClient, type Entry, type Room } from '../../client/src/index.js'
import type { Message } from '../../client/src/wire.js'

interface Line {
  id: number
  do: string
  url: string
  token: string
  chatId: string
  key: string
  content: string
  messageId: string
  emoji: string
  upToSeq: number
}

let client: ChatClient
let token = ''
const opened = new Set<string>()
/** Keys of the client → those of the kit. */
const keys = new Map<string, string>()
/** What the client has refused by itself, by the kit's keys. */
const refused: Record<string, { code: string; content: string }> = {}
const quiet = (): void => {}

/** An app asks its own backend for a token; here there is none once the last one is over. */
async function getToken(): Promise<string> {
  const [, claims = ''] = token.split('.')
  const exp = /"exp":(\d+)/.exec(Buffer.from(claims, 'base64url').toString())?.[1]
  if (exp && Number(exp) * 1_000 <= Date.now()) throw new Error('there is no other token')
  return token
}

/** The room that has a message. */
function roomOf(messageId: string): Room | undefined {
  const has = (entry: Entry) => entry.status === 'stored' && entry.message.id === messageId
  return [...opened].map((chatId) => client.room(chatId)).find((room) => room.entries.get().some(has))
}

const COMMANDS: Record<string, (line: Line) => void> = {
  connect(line) {
    token = line.token
    client = createChatClient({ url: line.url, getToken, socket: { transports: ['websocket'] } })
  },
  token(line) {
    token = line.token
    if (['refused', 'needs-token'].includes(client.connection.get().state)) client.connect()
  },
  open({ chatId }) {
    opened.add(chatId)
    const { entries, latest } = client.room(chatId)
    // A room is kept while somebody looks at it.
    entries.subscribe(quiet)
    latest().catch(quiet)
  },
  send({ chatId, key, content }) {
    try {
      keys.set(client.room(chatId).send({ content }), key)
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error
      refused[key] = { code: error.code, content }
    }
  },
  read: ({ chatId, upToSeq }) => client.room(chatId).read(upToSeq),
  edit: ({ messageId, content }) => void roomOf(messageId)?.edit(messageId, { content }).catch(quiet),
  react: ({ messageId, emoji }) => void roomOf(messageId)?.react(messageId, emoji).catch(quiet),
}

function dump(): object {
  const chats = client.chats.get().filter(({ chatId }) => opened.has(chatId))
  const pending = client.outbox.get().map((entry) => ({ ...entry, key: keys.get(entry.key) ?? entry.key }))
  const failed = pending.filter(({ status }) => status === 'failed')
  return {
    connection: client.connection.get().state,
    chats: Object.fromEntries(
      chats.map(({ chatId, revision, lastReadSeq, unreadCount }) => {
        const entries = client.room(chatId).entries.get()
        const messages = entries.flatMap((entry) => (entry.status === 'stored' ? [toLine(entry.message)] : []))
        return [chatId, { revision, lastReadSeq, unread: unreadCount, messages }]
      }),
    ),
    waiting: pending.filter(({ status }) => status !== 'failed').map(({ key }) => key),
    failed: {
      ...refused,
      ...Object.fromEntries(
        failed.map(({ key, error, draft }) => [key, { code: error?.code, content: draft.content }]),
      ),
    },
  }
}

const toLine = ({ id, seq, content, reactions, deletedAt }: Message) => ({
  id,
  seq,
  content,
  reactions: Object.fromEntries(reactions.map(({ emoji, count }) => [emoji, count])),
  deleted: deletedAt !== null,
})

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
say({ ready: true })
for await (const text of createInterface({ input: process.stdin })) {
  const line: Line = JSON.parse(text)
  if (line.do === 'dump') say({ done: line.id, state: dump() })
  else {
    COMMANDS[line.do]?.(line)
    say({ done: line.id })
  }
}
process.exit(0)
