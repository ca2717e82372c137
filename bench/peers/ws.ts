// The raw `ws` loop: no protocol, no storage. The frame's bytes are made once, then sent to one socket after the other.
import { type WebSocket, WebSocketServer } from 'ws'
import { listenForBursts } from './control.js'
import { payload, ROOM_SIZES, roomName, roomOf } from './payload.js'

const rooms = new Map<string, WebSocket[]>()
let seq = 0

new WebSocketServer({ port: Number(process.env.PORT), host: '127.0.0.1', perMessageDeflate: false }).on(
  'connection',
  (socket) => {
    socket.on('error', () => {})
    socket.on('message', (hello) => {
      for (const size of ROOM_SIZES) {
        const name = roomOf(size, Number(hello))
        rooms.set(name, [...(rooms.get(name) ?? []), socket])
      }
      socket.send('ready')
    })
  },
)

listenForBursts((size, count, burst) => {
  for (let room = 0; room < count; room++) {
    const name = roomName(size, room)
    for (let i = 0; i < burst; i++) {
      seq += 1
      const message = Buffer.from(`42${JSON.stringify(['new_message', payload(name, seq)])}`)
      for (const socket of rooms.get(name) ?? []) socket.send(message, { binary: false })
    }
  }
})
