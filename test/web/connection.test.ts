import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import t, { type Test } from 'tap'
import type { ChatSocket } from '../../client/src/stock.js'
import { toClosing } from '../../contract/closings.js'
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/types.js'
import { type ConnectionState, createConnection } from '../../web/connection.js'

/** A server, a socket that is not connected yet, and a wait for the next state that passes a test. */
async function setUp(t: Test) {
  const http = createServer()
  const server = new Server<ClientToServerEvents, ServerToClientEvents>(http)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const socket: ChatSocket = io(`http://127.0.0.1:${port}`, {
    autoConnect: false,
    forceNew: true,
    transports: ['websocket'],
    reconnectionDelay: 10,
  })
  t.teardown(async () => {
    socket.disconnect()
    await server.close()
  })
  const waiting: ((state: ConnectionState) => void)[] = []
  createConnection(socket, (state) => waiting.shift()?.(state))
  const nextState = () => new Promise<ConnectionState>((resolve) => waiting.push(resolve))
  const connected = async () => {
    const state = nextState()
    socket.connect()
    t.same(await state, { is: 'online' })
    const [peer] = server.of('/').sockets.values()
    if (!peer) throw new Error('the server has no socket')
    return peer
  }
  return { socket, nextState, connected }
}

// What broke: whatever the reason, the page said no more than that the server had ended the connection.
t.test('who is sent away is told why', async (t) => {
  const { nextState, connected } = await setUp(t)
  const peer = await connected()
  const ended = nextState()
  peer.emit('closing', toClosing('USER_DELETED'))
  peer.disconnect()
  t.same(await ended, { is: 'ended', why: 'This user was deleted.' })
})

t.test('a closing is told once: not of the end of the next connection', async (t) => {
  const { socket, nextState, connected } = await setUp(t)
  const first = await connected()
  const firstEnd = nextState()
  first.emit('closing', toClosing('DISCONNECTED'))
  first.disconnect()
  await firstEnd

  const second = await connected()
  const secondEnd = nextState()
  second.disconnect()
  t.same(await secondEnd, { is: 'ended', why: 'The server ended this connection.' })

  const third = await connected()
  const left = nextState()
  third.emit('closing', toClosing('LOGGED_OUT'))
  socket.once('closing', () => socket.disconnect())
  t.same(await left, { is: 'ended', why: '' }, 'who leaves needs no reason')
})

t.test('a passing end is no end: the client comes back by itself', async (t) => {
  const { nextState, connected } = await setUp(t)
  const peer = await connected()
  const lost = nextState()
  peer.emit('closing', toClosing('DRAINING', 0))
  peer.conn.close()
  t.same(await lost, { is: 'retrying' })
  t.same(await nextState(), { is: 'online' })
})
