import { io } from 'socket.io-client'

/** @typedef {import('chat-socket-client').Message} Message */

const query = new URLSearchParams(location.search)
const url = query.get('chat') ?? 'http://localhost:3002'
const user = query.get('user') ?? 'alice'
const chatId = 'demo'
const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))

/** What is shown, by seq: an event may come again, and an ack may come before it. @type {Map<number, HTMLElement>} */
const shown = new Map()

/** @param {Message} message */
function show({ seq, sender, content, deletedAt }) {
  const line = shown.get(seq) ?? document.createElement('li')
  line.textContent = `${sender.name}: ${deletedAt ? '(deleted)' : content}`
  if (shown.has(seq)) return
  shown.set(seq, line)
  const later = [...shown.keys()].filter((other) => other > seq).sort((a, b) => a - b)[0]
  element('messages').insertBefore(line, later === undefined ? null : (shown.get(later) ?? null))
}

// In development the chat hands out tokens of its demo people; your app has its own way to one.
const tokens = await (await fetch(`${url}/demo/tokens`)).json()

/** @type {import('chat-socket-client').ChatSocket} */
const socket = io(url, { auth: { token: tokens[user] } })

socket.on('session', async (session) => {
  element('state').textContent = `online as ${session.user.name}`
  const answer = await socket.timeout(10_000).emitWithAck('get_messages', { chatId, limit: 50 })
  if (answer.ok) answer.data.messages.forEach(show)
})
socket.on('new_message', (message) => message.chatId === chatId && show(message))
socket.on('message_updated', (message) => message.chatId === chatId && show(message))
socket.on('message_deleted', (message) => message.chatId === chatId && show(message))
socket.on('disconnect', () => {
  element('state').textContent = 'offline'
})
socket.on('connect_error', (error) => {
  element('state').textContent = error.message
})

element('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const input = /** @type {HTMLInputElement} */ (element('text'))
  const content = input.value
  if (content.trim() === '') return
  input.value = ''
  // With a key of its own a message is stored once, however often it is sent.
  const send = { chatId, content, clientMessageId: crypto.randomUUID() }
  const answer = await socket.timeout(10_000).emitWithAck('send_message', send)
  if (answer.ok) show(answer.data.message)
  else element('state').textContent = answer.error.message
})
