import { io } from 'socket.io-client'

const ANSWER_MS = 5_000
const AGAIN_MS = 500
const MAX_BYTES = 256 * 1024
const LOGGED = [
  'new_message',
  'message_updated',
  'message_deleted',
  'member_changed',
  'chat_updated',
  'messages_expired',
]
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** `state` is connecting, online, offline, needs-token or refused; `rooms` are the chats that were opened: chatId → { revision, lastReadSeq, messages by seq }. */
export function createPlainClient({ url, getToken }) {
  const client = {
    state: 'connecting',
    rooms: new Map(),
    outbox: [],
    open,
    send,
    read,
    command,
    connect,
    userId: () => session?.user.userId,
  }
  const { rooms, outbox } = client
  const wanted = new Set()
  const reads = new Map()
  let session = null
  let closing = null
  let isSending = false

  const auth = (send) => send({ token: getToken() })
  // `timeout`: a connection that breaks while it is opened is given up no sooner.
  const options = { transports: ['websocket'], forceNew: true, reconnectionDelayMax: 2_000, timeout: 5_000 }
  const socket = io(url, { ...options, auth })

  // What is emitted before `session` would be sent by itself later, behind our back.
  function command(name, payload) {
    if (client.state !== 'online') return Promise.reject({ retryable: true })
    const answer = socket.timeout(ANSWER_MS).emitWithAck(name, payload)
    return answer.then(
      ({ ok, data, error }) => (ok ? data : Promise.reject(error)),
      () => Promise.reject({ retryable: true, retryAfterMs: 0 }),
    )
  }

  // Law: a key is one for ever, and one message is under way at a time, so that the order is kept.
  function send(chatId, key, content) {
    outbox.push({ key, chatId, content, error: null })
    flush()
  }

  async function flush() {
    if (isSending) return
    isSending = true
    for (let item = next(); item && client.state === 'online'; item = next()) {
      const payload = { chatId: item.chatId, content: item.content, clientMessageId: item.key }
      try {
        if (new Blob([item.content]).size > MAX_BYTES - 1_024) throw { code: 'PAYLOAD_TOO_LARGE' }
        const { message } = await command('send_message', payload)
        outbox.splice(outbox.indexOf(item), 1)
        const room = rooms.get(item.chatId)
        if (room) put(room, message)
      } catch (error) {
        if (error.retryable) await sleep(error.retryAfterMs ?? AGAIN_MS)
        else item.error = error
      }
    }
    isSending = false
  }
  const next = () => outbox.find(({ error }) => !error)

  // Law: a mark never goes back, and is said again until it is answered.
  function read(chatId, upToSeq) {
    reads.set(chatId, Math.max(upToSeq, reads.get(chatId) ?? 0))
    mark(chatId, upToSeq)
    flushRead(chatId)
  }

  function mark(chatId, seq) {
    const room = rooms.get(chatId)
    if (room) room.lastReadSeq = Math.max(room.lastReadSeq, seq)
  }

  async function flushRead(chatId) {
    const upToSeq = reads.get(chatId)
    if (upToSeq === undefined || client.state !== 'online') return
    try {
      await command('mark_as_read', { chatId, upToSeq })
    } catch (error) {
      if (error.retryable) return void sleep(error.retryAfterMs ?? AGAIN_MS).then(() => flushRead(chatId))
    }
    if (reads.get(chatId) === upToSeq) reads.delete(chatId)
  }

  function put(room, message) {
    const { seq, revision, sender, chatId } = message
    if (seq < room.firstSeq || revision <= (room.messages.get(seq)?.revision ?? 0)) return
    room.messages.set(seq, message)
    if (sender.userId === session.user.userId) mark(chatId, seq)
  }

  function expire(room, throughSeq) {
    room.firstSeq = Math.max(room.firstSeq, throughSeq + 1)
    for (const seq of room.messages.keys()) if (seq <= throughSeq) room.messages.delete(seq)
  }

  // Law: revisions come one by one; what is known is ignored, and a hole is filled by `sync`.
  function hear(event, payload) {
    const room = rooms.get(payload.chatId)
    if (!room || payload.revision <= room.revision) return
    if (payload.revision > room.revision + 1 || room.isBusy) return behind(payload.chatId, payload.revision)
    room.revision = payload.revision
    if (event === 'messages_expired') expire(room, payload.throughSeq)
    else if (payload.seq) put(room, payload)
  }

  /** Asks until the room has come to its head. */
  async function behind(chatId, head) {
    const room = rooms.get(chatId)
    room.head = Math.max(room.head, head)
    if (room.isBusy) return
    room.isBusy = true
    while (rooms.get(chatId) === room && client.state === 'online' && room.revision < room.head) {
      try {
        await catchUp(chatId, room)
      } catch (error) {
        if (!error.retryable) break
        await sleep(error.retryAfterMs ?? AGAIN_MS)
      }
    }
    room.isBusy = false
  }

  async function catchUp(chatId, room) {
    if (room.revision === 0) return load(chatId, room)
    const answer = (await command('sync', { chats: { [chatId]: room.revision } })).chats[chatId]
    if (answer.gone) return void rooms.delete(chatId)
    if (answer.reset) return load(chatId, room)
    for (const change of answer.changes) {
      if (change.type === 'messages_expired') expire(room, change.throughSeq)
      else if (change.message) put(room, change.message)
    }
    room.revision = Math.max(room.revision, answer.through)
    room.head = Math.max(room.head, answer.head)
  }

  async function load(chatId, room) {
    const { messages, revision } = await command('get_messages', { chatId, limit: 50 })
    room.messages = new Map(messages.map((message) => [message.seq, message]))
    room.firstSeq = messages[0]?.seq ?? 1
    room.revision = revision
  }

  function open(chatId) {
    wanted.add(chatId)
    const chat = session?.chats.find((chat) => chat.chatId === chatId)
    if (chat && !rooms.has(chatId)) enter(chat)
  }

  function enter({ chatId, revision, lastReadSeq }) {
    rooms.set(chatId, { revision: 0, head: 0, firstSeq: 1, lastReadSeq, messages: new Map(), isBusy: false })
    behind(chatId, revision)
  }

  function connect() {
    if (!socket.connected) socket.disconnect().connect()
  }

  function away(state) {
    client.state = state
    if (state !== 'offline') socket.disconnect()
  }

  socket.on('session', (fresh) => {
    session = fresh
    closing = null
    client.state = 'online'
    const chats = new Map(fresh.chats.map((chat) => [chat.chatId, chat]))
    for (const chatId of rooms.keys()) if (!chats.has(chatId)) rooms.delete(chatId)
    for (const [chatId] of rooms) mark(chatId, chats.get(chatId).lastReadSeq)
    for (const [chatId] of rooms) behind(chatId, chats.get(chatId).revision)
    for (const chatId of wanted) open(chatId)
    for (const chatId of reads.keys()) flushRead(chatId)
    flush()
  })
  for (const event of LOGGED) socket.on(event, (payload) => hear(event, payload))
  socket.on('chat_added', (chat) => {
    session.chats = [...session.chats.filter(({ chatId }) => chatId !== chat.chatId), chat]
    if (rooms.has(chat.chatId)) behind(chat.chatId, chat.revision)
    else if (wanted.has(chat.chatId)) enter(chat)
  })
  socket.on('chat_removed', ({ chatId, revision }) => {
    if (revision <= (rooms.get(chatId)?.revision ?? 0)) return
    session.chats = session.chats.filter((chat) => chat.chatId !== chatId)
    rooms.delete(chatId)
  })
  socket.on('messages_read', ({ chatId, userId, lastReadSeq }) => {
    if (userId === session.user.userId) mark(chatId, lastReadSeq)
  })
  socket.on('token_expiring', () => command('refresh_token', { token: getToken() }).catch(() => {}))
  socket.on('closing', (why) => {
    closing = why
  })
  socket.on('disconnect', (reason) => {
    if (reason === 'io client disconnect') return
    if (closing && !closing.retryable) return away(closing.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused')
    away('offline')
    // After a disconnect by the server a stock client stays away by itself.
    if (reason === 'io server disconnect') setTimeout(connect, closing?.reconnectInMs ?? AGAIN_MS)
  })
  socket.on('connect_error', ({ data }) => {
    if (socket.active) client.state = 'offline'
    else away(['TOKEN_EXPIRED', 'UNAUTHENTICATED'].includes(data?.code) ? 'needs-token' : 'refused')
  })
  return client
}
