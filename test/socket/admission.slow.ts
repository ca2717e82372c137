import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { build, type ClientSocket, client, connect, embeddedDir, next, SECRET, type Service, until } from '../helper.js'
import { startServer } from '../helpers/process.js'

const QUICK = { reconnectionDelay: 20, reconnectionDelayMax: 50, randomizationFactor: 0 }
const TRANSPORTS = ['websocket', 'polling'] as const

/** A client that says to come from an address. */
const from = (address: string) => ({ ...QUICK, extraHeaders: { 'x-forwarded-for': address } })

/** Connects a stock client in vain; it comes back by itself until it is let in. */
async function turnedAway(t: Test, service: Service, options: object): Promise<ClientSocket> {
  const socket = client(t, service, 'bob', { ...QUICK, ...options })
  const refused = new Promise((resolve, reject) => {
    socket.once('connect_error', resolve)
    socket.once('connect', () => reject(new Error('let in')))
  })
  socket.connect()
  await refused
  t.equal(socket.connected, false)
  t.equal(socket.active, true, 'it tries again')
  return socket
}

for (const transport of TRANSPORTS) {
  t.test(`sockets of one address, over ${transport}`, async (t) => {
    const service = await build(t, { maxSocketsPerAddress: 2 })
    const transports = { transports: [transport] }
    const { socket } = await connect(t, service, 'alice', transports)
    await connect(t, service, 'alice', transports)
    const third = await turnedAway(t, service, { ...transports, ...from('1.1.1.1') })
    t.equal(service.app.admission.refused() > 0, true, 'whatever it says of itself')
    const connected = next(third, 'session')
    socket.disconnect()
    await connected
    await until('the one that went is forgotten', () => service.app.io.engine.clientsCount === 2)
  })
}

t.test('handshakes of one address', async (t) => {
  const service = await build(t, { trustProxy: 'loopback', rateAddressConnects: '1/2', rateLimit: 'on' })
  const network = (i: number) => from(`2001:db8:1:2:${i}::4, 127.0.0.2`)
  const { socket } = await connect(t, service, 'alice', { ...network(1), transports: ['polling', 'websocket'] })
  await until('it is upgraded', () => socket.io.engine.transport.name === 'websocket')
  await connect(t, service, 'alice', network(2))
  const third = await turnedAway(t, service, network(3))
  await connect(t, service, 'alice', from('2001:db8:1:3::4'))
  t.pass('who is of another network is let in')
  await next(third, 'session')
})

t.test('without limits an address may come as often as it likes', async (t) => {
  const service = await build(t, { rateAddressConnects: '1/1', rateLimit: 'off' })
  for (let i = 0; i < 5; i += 1) await connect(t, service, 'alice')
  t.equal(service.app.admission.refused(), 0)
})

t.test('addresses behind a proxy are counted apart, and only behind one that is trusted', async (t) => {
  const trusting = await build(t, { maxSocketsPerAddress: 1, trustProxy: '127.0.0.1' })
  await connect(t, trusting, 'alice', from('1.1.1.1'))
  await connect(t, trusting, 'alice', from('9.9.9.9, 2.2.2.2'))
  await turnedAway(t, trusting, from('8.8.8.8, 2.2.2.2'))

  const other = await build(t, { maxSocketsPerAddress: 1, trustProxy: '10.0.0.0/8' })
  await connect(t, other, 'alice', from('1.1.1.1'))
  await turnedAway(t, other, from('2.2.2.2'))
})

t.test('TCP connections of one address', async (t) => {
  const { url } = await startServer(t, {
    JWT_SECRET: SECRET,
    NODE_ENV: 'test',
    MAX_LOOP_DELAY_MS: '0',
    DATA_DIR: await embeddedDir(t),
    MAX_SOCKETS_PER_ADDRESS: '5',
  })
  const port = Number(new URL(url).port)
  const open = (localAddress: string) => connectTcp({ port, host: '127.0.0.1', localAddress })
  const sockets = Array.from({ length: 8 }, () => open('127.0.0.1'))
  t.teardown(() => sockets.map((socket) => socket.destroy()))
  for (const socket of sockets) socket.on('error', () => {})
  await until('what is too much is closed', () => sockets.filter(({ closed }) => closed).length >= 3)
  t.equal(sockets.filter(({ closed }) => closed).length, 3)
  const other = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    localAddress: '127.0.0.2',
  })
  t.teardown(() => other.terminate())
  await once(other, 'open')
  t.pass('another address is served')
  for (const socket of sockets) socket.destroy()
  await until('the address is served again', () =>
    fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
})
