import type { Socket } from 'socket.io-client'
import type { EventName, EventPayload } from '../../contract/events.js'
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/types.js'
import type { Database } from '../../services/db/index.js'

export type ClientSocket = Socket<ServerToClientEvents, ClientToServerEvents>

/** One thing that a connection was told of a chat: which revision, and in short what it said. */
export interface Told {
  event: 'session' | 'added' | 'removed' | 'change'
  chatId: string
  revision: number
  says: string
}

/** All that one connection of a user was told, in order. */
export interface View {
  userId: string
  told: Told[]
  /** Where it stands now, by what it was told. */
  at: Map<string, number>
  /** Whether it is still there. */
  open: boolean
}

/** One message that a client meant to send, however many tries it took. */
export interface Sent {
  userId: string
  chatId: string
  key: string | null
  /** No two messages have the same. */
  content: string
  acked: { id: string; seq: number; revision: number } | null
  /** Final: it was refused, and so is not in the log. */
  refused: string | null
}

/** One row of a chat's log. */
export interface Line {
  revision: number
  kind: string
  /** Of a member's change. */
  userId: string | null
  message: { id: string; seq: number; senderId: string; key: string | null; content: string | null } | null
  says: string
}

/** A chat as the database has it. */
export interface ChatHistory {
  founders: string[]
  members: string[]
  lines: Line[]
}

/** What clients saw and did, and what the database says of it. */
export interface History {
  chats: Map<string, ChatHistory>
  views: View[]
  sends: Sent[]
}

type Logged = EventPayload<'new_message' | 'member_changed' | 'chat_updated'>

/** What is the same for the row and for each event of it; equal texts are one, for there are many. */
const texts = new Map<string, string>()
function say(...facts: unknown[]): string {
  const text = JSON.stringify(facts)
  const known = texts.get(text)
  if (known === undefined) texts.set(text, text)
  return known ?? text
}

function toTold(event: EventName, payload: unknown): Told[] {
  switch (event) {
    case 'session': {
      const { chats } = payload as EventPayload<'session'>
      return chats.map(({ chatId, revision }) => ({ event: 'session', chatId, revision, says: '' }))
    }
    case 'chat_added': {
      const { chatId, revision } = payload as EventPayload<'chat_added'>
      return [{ event: 'added', chatId, revision, says: '' }]
    }
    case 'chat_removed': {
      const { chatId, revision } = payload as EventPayload<'chat_removed'>
      return [{ event: 'removed', chatId, revision, says: '' }]
    }
    case 'new_message': {
      const m = payload as EventPayload<'new_message'>
      const says = say(event, m.id, m.seq, m.sender.userId, m.clientMessageId, m.content, m.createdAt)
      return [{ event: 'change', chatId: m.chatId, revision: m.revision, says }]
    }
    case 'member_changed': {
      const { chatId, revision, user, role, removed } = payload as EventPayload<'member_changed'>
      return [{ event: 'change', chatId, revision, says: say(event, user.userId, role, removed) }]
    }
    case 'message_updated':
    case 'message_deleted':
    case 'chat_updated': {
      const { chatId, revision } = payload as Logged
      return [{ event: 'change', chatId, revision, says: say(event) }]
    }
    default:
      return []
  }
}

/** Keeps what a socket is told from now on, a view for each connection; answers the view of the one that it has, if any. */
export function watch(socket: ClientSocket, userId: string, views: View[]): () => View | undefined {
  let view: View | undefined
  socket.onAny((event: EventName, payload: unknown) => {
    if (event === 'session') {
      view = { userId, told: [], at: new Map(), open: true }
      views.push(view)
    }
    for (const told of toTold(event, payload)) {
      view?.told.push(told)
      if (told.event === 'removed') view?.at.delete(told.chatId)
      else view?.at.set(told.chatId, told.revision)
    }
  })
  socket.on('disconnect', () => {
    if (view) view.open = false
    view = undefined
  })
  return () => view
}

interface Row extends Record<string, unknown> {
  chat_id: string
  revision: number
  kind: string
  user_id: string | null
  role: string | null
  id: string | null
  seq: number
  sender_id: string
  client_message_id: string | null
  content: string | null
  created_at: string
}

const EVENTS: Record<string, EventName> = {
  chat_updated: 'chat_updated',
  message_updated: 'message_updated',
  message_deleted: 'message_deleted',
}

/** The chats as their tables have them, past all of our services. */
export async function readChats({ pool }: Pick<Database, 'pool'>): Promise<Map<string, ChatHistory>> {
  const chats = new Map<string, ChatHistory>()
  const { rows: members } = await pool.query<{ id: string; user_id: string | null; joined_revision: number | null }>(
    'SELECT c.id, m.user_id, m.joined_revision FROM chats c LEFT JOIN members m ON m.chat_id = c.id',
  )
  for (const { id, user_id, joined_revision } of members) {
    const chat = chats.get(id) ?? { founders: [], members: [], lines: [] }
    chats.set(id, chat)
    if (user_id === null) continue
    chat.members.push(user_id)
    if (joined_revision === 1) chat.founders.push(user_id)
  }
  const { rows } = await pool.query<Row>(
    `SELECT l.chat_id, l.revision, l.kind, l.user_id, l.role, m.id, m.seq, m.sender_id, m.client_message_id, m.content, m.created_at
     FROM chat_log l LEFT JOIN messages m ON m.id = l.message_id ORDER BY l.chat_id, l.revision`,
  )
  const came = new Set<string>()
  for (const row of rows) {
    const chat = chats.get(row.chat_id)
    if (!chat) throw new Error(`a log without a chat: ${row.chat_id}`)
    chat.lines.push(toLine(row))
    const place = JSON.stringify([row.chat_id, row.user_id])
    if (row.kind === 'member_added') came.add(place)
    // Who goes without having come was there from the start.
    else if (row.kind === 'member_removed' && !came.delete(place)) chat.founders.push(row.user_id as string)
  }
  return chats
}

function toLine(row: Row): Line {
  const { revision, kind, user_id: userId, role } = row
  const message = row.id === null ? null : toMessage(row)
  if (message && kind === 'message_created') {
    const { id, seq, senderId, key, content } = message
    const says = say('new_message', id, seq, senderId, key, content, row.created_at)
    return { revision, kind, userId, message, says }
  }
  const says =
    userId === null ? say(EVENTS[kind] ?? kind) : say('member_changed', userId, role, kind === 'member_removed')
  return { revision, kind, userId, message, says }
}

function toMessage(row: Row): Line['message'] {
  const { id, seq, sender_id: senderId, client_message_id: key, content } = row
  return { id: id as string, seq, senderId, key, content }
}
