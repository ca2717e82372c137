import {
  type ClientToServerEvents,
  COMMAND_NAMES,
  EVENT_NAMES,
  type EventPayload,
  type ServerToClientEvents,
} from 'chat-socket-service/contract'
import { io, type Socket } from 'socket.io-client'

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io('/', { auth: { token: '' } })
socket.on('new_message', (message) => console.log(message.sender.name satisfies string))
const seen: EventPayload<'typing'>[] = []
socket.on('typing', (event) => seen.push(event))
socket.emit('send_message', { chatId: 'a', content: 'b' }, (answer) => {
  if (answer.ok) console.log(answer.data.message.seq satisfies number, answer.data.duplicate satisfies boolean)
  else console.log(answer.error.code satisfies string)
})
// @ts-expect-error there is no such event
socket.on('new_mesage', () => {})
// @ts-expect-error a chatId is text
socket.emit('typing', { chatId: 1, isTyping: true })
console.log(COMMAND_NAMES.length, EVENT_NAMES.length)
