import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../helper.js'
import { openWay } from '../helpers/toxics.js'
import { openPacketFilter } from './cluster/packet-filter.js'

// What breaks the ways of a cluster must break them: a fault that is none would pass every run.

const QUIET_MS = 300

/** A client that reaches an echo by a way. */
async function echoed(t: Test) {
  const far: Socket[] = []
  const server = createServer((socket) => {
    far.push(socket.on('error', () => {}))
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of far) socket.destroy()
  })
  const way = await openWay(t, (server.address() as AddressInfo).port)
  const open = () => {
    const socket = connect(way.port, '127.0.0.1').on('error', () => {})
    const client = { socket, said: '', isClosed: false }
    socket.on('data', (data) => {
      client.said += data
    })
    socket.on('close', () => {
      client.isClosed = true
    })
    t.teardown(() => socket.destroy())
    return client
  }
  const client = open()
  client.socket.write('a')
  await until('there is an echo', () => client.said === 'a')
  return { way, far, open, client }
}

t.test('a hole lets nothing through and tells nobody, and gives all back when it is clear', async (t) => {
  const { way, far, open, client } = await echoed(t)
  way.set('hole')
  const late = open()
  late.socket.write('x')
  client.socket.write('b')
  await sleep(QUIET_MS)
  t.same([client.said, late.said, client.isClosed, late.isClosed, far.length], ['a', '', false, false, 1])
  way.set('clear')
  await until('all has come', () => client.said === 'ab' && late.said === 'x')
})

t.test('who leaves in a hole is not missed until it is clear', async (t) => {
  const { way, far, client } = await echoed(t)
  way.set('hole')
  client.socket.resetAndDestroy()
  await sleep(QUIET_MS)
  t.equal(far[0]?.destroyed, false)
  way.set('clear')
  await until('it is known', () => far[0]?.destroyed === true)
})

t.test('what is down cuts off who is there and who comes', async (t) => {
  const { way, open, client } = await echoed(t)
  way.set('down')
  await until('cut off', () => client.isClosed)
  const late = open()
  await until('not let in', () => late.isClosed)
  way.set('clear')
  const back = open()
  back.socket.write('c')
  await until('it is back', () => back.said === 'c')
  way.reset()
  await until('reset', () => back.isClosed)
})

t.test('a way can be slow', async (t) => {
  const { way, client } = await echoed(t)
  way.delay(QUIET_MS)
  const startedAt = performance.now()
  client.socket.write('b')
  await until('it has come', () => client.said === 'ab')
  t.ok(performance.now() - startedAt > QUIET_MS, 'delayed')
  way.delay(0)
  way.throttle(1_000)
  client.socket.write('c'.repeat(QUIET_MS))
  await until('the first piece', () => client.said.length > 2)
  const length = client.said.length
  client.socket.write('d')
  await sleep(QUIET_MS / 3)
  t.equal(client.said.length, length, 'throttled')
  await until('the rest', () => client.said.endsWith('d'))
})

t.test('a packet filter drops what a port is sent, or sends', async (t) => {
  const filter = openPacketFilter(t)
  if (!filter) {
    t.comment('no packet filter here: partitions are holes')
    return
  }
  const { way, client } = await echoed(t)
  for (const direction of ['to', 'from', 'both'] as const) {
    client.said = ''
    filter.drop([way.port], direction)
    client.socket.write(direction)
    await sleep(QUIET_MS)
    t.equal(client.said, '', direction)
    filter.heal()
    await until('it has come', () => client.said === direction)
  }
})
