// Stock Socket.IO with `ws`, no storage, no authentication.
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { listenForBursts } from './control.js'
import { payload, ROOM_SIZES, roomName, roomOf } from './payload.js'

const server = createServer()
// Pings as often as ours.
const io = new Server(server, { pingInterval: 15_000, pingTimeout: 10_000 })
const ROOMS = 10
let seq = 0

io.on('connection', (socket) => {
  const { client, chats } = socket.handshake.auth as { client: number; chats?: number }
  if (chats === undefined) for (const size of ROOM_SIZES) socket.join(roomOf(size, client))
  else for (let i = 0; i < ROOMS; i++) socket.join(`c${(client + i) % chats}`)
  socket.emit('session', {})
})

listenForBursts((size, count, burst) => {
  for (let room = 0; room < count; room++) {
    const name = roomName(size, room)
    for (let i = 0; i < burst; i++) {
      seq += 1
      io.to(name).emit('new_message', payload(name, seq))
    }
  }
})

server.listen(Number(process.env.PORT), '127.0.0.1')
