import { io } from 'socket.io-client'

const ANSWER_MS = 5_000
const AGAIN_MS = 500
/** A frame has 256 KiB: something is left for its envelope. */
const MAX_BYTES = 255 * 1_024
const CHANGES = ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated']
const SOCKET = { transports: ['websocket'], forceNew: true, reconnectionDelayMax: 2_000, timeout: 5_000 }
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** `state` is connecting, online, offline, needs-token or refused; `rooms` are the chats that were opened, at revision 0 while one is not in them. */
export function createPlainClient({ url, getToken }) {
  const rooms = new Map()
  const outbox = []
  const client = { state: 'connecting', userId: null, rooms, outbox, open, send, read, command, connect }
  const socket = io(url, { ...SOCKET, auth: (answer) => answer({ token: getToken() }) })
  let closing = null
  let isAtWork = false

  function open(chatId) {
    const room = { chatId, revision: 0, head: 1, firstSeq: 1, messages: new Map(), lastReadSeq: 0, toldSeq: 0 }
    rooms.set(chatId, room)
    work()
  }

  function send(chatId, key, content) {
    outbox.push({ chatId, key, content, error: null })
    work()
  }

  function read(chatId, upToSeq) {
    const room = rooms.get(chatId)
    room.lastReadSeq = Math.max(room.lastReadSeq, upToSeq)
    work()
  }

  async function command(name, payload) {
    // What is emitted while one is away would be sent later, behind our back.
    if (client.state !== 'online') throw { retryable: true }
    const unheard = () => ({ error: { retryable: true, retryAfterMs: 0 } })
    const { ok, data, error } = await socket.timeout(ANSWER_MS).emitWithAck(name, payload).catch(unheard)
    if (!ok) throw error
    return data
  }

  // Law: one thing is asked at a time, which keeps the order; what was refused for now is asked again, the same.
  async function work() {
    if (isAtWork) return
    isAtWork = true
    for (let task = next(); task && client.state === 'online'; task = next()) {
      try {
        await task.ask()
      } catch (error) {
        if (error.retryable) await sleep(error.retryAfterMs ?? AGAIN_MS)
        else task.giveUp(error)
      }
    }
    isAtWork = false
  }

  function next() {
    for (const room of rooms.values()) {
      if (room.revision < room.head) return { ask: () => catchUp(room), giveUp: () => (room.head = room.revision) }
      if (room.toldSeq < room.lastReadSeq)
        return { ask: () => tellRead(room), giveUp: () => (room.toldSeq = room.lastReadSeq) }
    }
    const item = outbox.find(({ error }) => !error)
    return item && { ask: () => deliver(item), giveUp: (error) => (item.error = error) }
  }

  async function deliver(item) {
    const payload = { chatId: item.chatId, content: item.content, clientMessageId: item.key }
    if (new Blob([JSON.stringify(payload)]).size > MAX_BYTES) throw { code: 'PAYLOAD_TOO_LARGE' }
    const { message } = await command('send_message', payload)
    outbox.splice(outbox.indexOf(item), 1)
    put(rooms.get(item.chatId), message)
  }

  async function tellRead(room) {
    const upToSeq = room.lastReadSeq
    await command('mark_as_read', { chatId: room.chatId, upToSeq })
    room.toldSeq = Math.max(room.toldSeq, upToSeq)
  }

  async function catchUp(room) {
    if (room.revision === 0) return load(room)
    const answer = (await command('sync', { chats: { [room.chatId]: room.revision } })).chats[room.chatId]
    if (answer.gone) return open(room.chatId)
    if (answer.reset) return load(room)
    for (const change of answer.changes) {
      if (change.type === 'messages_expired') expire(room, change.throughSeq)
      else put(room, change.message)
    }
    room.revision = Math.max(room.revision, answer.through)
    room.head = Math.max(room.head, answer.head)
  }

  async function load(room) {
    const { chatId } = room
    const { chat } = await command('get_chat', { chatId })
    const { messages, revision } = await command('get_messages', { chatId, limit: 50 })
    room.messages = new Map(messages.map((message) => [message.seq, message]))
    room.firstSeq = messages[0]?.seq ?? 1
    room.revision = revision
    mark(room, chat.lastReadSeq)
  }

  // Law: a message is never older than what one has of it.
  function put(room, message) {
    if (!room || !message || message.seq < room.firstSeq) return
    if (message.revision <= (room.messages.get(message.seq)?.revision ?? 0)) return
    room.messages.set(message.seq, message)
    if (message.sender.userId === client.userId) mark(room, message.seq)
  }

  function expire(room, throughSeq) {
    room.firstSeq = Math.max(room.firstSeq, throughSeq + 1)
    for (const seq of room.messages.keys()) if (seq <= throughSeq) room.messages.delete(seq)
  }

  // Law: a mark never goes back.
  function mark(room, seq) {
    room.lastReadSeq = Math.max(room.lastReadSeq, seq)
    room.toldSeq = Math.max(room.toldSeq, seq)
  }

  // Law: revisions come one by one; what is known is passed over, and a hole is filled by `sync`.
  function hear({ chatId, revision }, apply) {
    const room = rooms.get(chatId)
    if (!room || revision <= room.revision) return
    if (revision > room.revision + 1) return behind(room, revision)
    room.revision = revision
    apply(room)
  }

  function behind(room, revision) {
    room.head = Math.max(room.head, revision)
    work()
  }

  function connect() {
    socket.disconnect().connect()
  }

  function end(why) {
    const isFinal = why?.retryable === false
    client.state = !isFinal ? 'offline' : why.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused'
    if (isFinal) socket.disconnect()
    // After a refusal, or a disconnect by the server, a stock client stays away by itself.
    else if (!socket.active) setTimeout(connect, why?.reconnectInMs ?? why?.retryAfterMs ?? AGAIN_MS)
  }

  socket.on('session', ({ user, chats }) => {
    Object.assign(client, { state: 'online', userId: user.userId })
    closing = null
    for (const room of rooms.values()) {
      const chat = chats.find(({ chatId }) => chatId === room.chatId)
      if (!chat) open(room.chatId)
      else mark(room, chat.lastReadSeq)
      if (chat) behind(room, chat.revision)
    }
    work()
  })
  for (const event of CHANGES) socket.on(event, (change) => hear(change, (room) => change.seq && put(room, change)))
  socket.on('messages_expired', (change) => hear(change, (room) => expire(room, change.throughSeq)))
  socket.on('chat_added', ({ chatId, revision }) => rooms.has(chatId) && behind(rooms.get(chatId), revision))
  socket.on(
    'chat_removed',
    ({ chatId, revision }) => revision > (rooms.get(chatId)?.revision ?? revision) && open(chatId),
  )
  socket.on('messages_read', ({ chatId, userId, lastReadSeq }) => {
    if (rooms.has(chatId) && userId === client.userId) mark(rooms.get(chatId), lastReadSeq)
  })
  socket.on('token_expiring', () => command('refresh_token', { token: getToken() }).catch(() => {}))
  socket.on('closing', (why) => {
    closing = why
  })
  socket.on('disconnect', (reason) => reason !== 'io client disconnect' && end(closing))
  socket.on('connect_error', ({ data }) => end(data))
  return client
}
