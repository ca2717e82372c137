import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Socket, io as stock } from 'socket.io-client'
import t, { type Test } from 'tap'
import { build, type Service, tempDir, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'

// What a host does with its own Socket.IO server, on two nodes: as on one, but for what would have to wait for the other.

/** A stock client that takes any event. */
async function join(t: Test, { url, token }: Service, userId: string): Promise<Socket> {
  const socket = stock(url, { auth: { token: token(userId) }, transports: ['websocket'], forceNew: true })
  t.teardown(() => socket.disconnect())
  await once(socket as never, 'session')
  return socket
}

function hear(socket: Socket): unknown[] {
  const heard: unknown[] = []
  socket.on('news', (news: unknown) => heard.push(news))
  return heard
}

t.test('a host’s own events, rooms and ends reach the sockets of all nodes', needsPostgres, async (t) => {
  const settings = { databaseUrl: await createDatabase(t), dataDir: tempDir(t) }
  const [a, b] = [await build(t, settings), await build(t, settings)]
  for (const { call } of [a, b])
    await until('the bus is there', async () => (await call('GET', '/health')).body.checks.bus.ok)
  const [alice, bob] = await Promise.all([join(t, a, 'alice'), join(t, b, 'bob')])
  const heard = { alice: hear(alice), bob: hear(bob) }
  const io = a.app.chat.io as unknown as import('socket.io').Server
  const { id: bobId = '' } = bob

  // What the stock adapters do: the own node waits for the bus, and what follows overtakes it.
  io.emit('news', 1)
  io.to(alice.id ?? '').emit('news', 2)
  await until('both hear', () => heard.alice.length === 2 && heard.bob.length === 1)
  t.same(heard, { alice: [1, 2], bob: [1] })

  io.in(bobId).socketsJoin('theirs')
  io.to('theirs').emit('news', 3)
  io.except('theirs').emit('news', 4)
  io.in(bobId).socketsLeave('theirs')
  io.to('theirs').emit('news', 5)
  io.local.emit('news', 6)
  io.emit('news', 8)
  await until('the last comes', () => heard.alice.at(-1) === 8 && heard.bob.at(-1) === 8)
  t.same(heard, { alice: [1, 2, 4, 6, 8], bob: [1, 3, 8] })

  t.test('what would wait for another node, or does not fit, is refused in a sentence', async (t) => {
    await t.rejects(io.fetchSockets(), /fetchSockets would wait for other nodes: `io.local`/)
    t.equal((await io.local.fetchSockets()).length, 1)
    t.throws(() => io.timeout(100).emit('news', () => {}), /acknowledgement would wait for other nodes/)
    t.throws(() => io.emit('news', Buffer.from('binary')), /Binary data does not travel/)
    t.throws(() => io.emit('news', 'x'.repeat(8_000)), /8\d{3} bytes are too many/)
    t.throws(() => io.serverSideEmit('news'), /app.chat.bus/)
    t.throws(() => io.adapter(class {} as never), /the chat service’s own/)
    await sleep(100)
    t.equal(heard.bob.length, 3)
    t.equal(heard.alice.length, 5, 'nothing of it was done here')
  })

  const gone = once(bob as never, 'disconnect')
  io.in(bobId).disconnectSockets(true)
  await gone
  t.ok(alice.connected)
})

t.test('on a node that is alone it is Socket.IO as it always was', async (t) => {
  const service = await build(t)
  const socket = await join(t, service, 'alice')
  const io = service.app.chat.io as unknown as import('socket.io').Server
  socket.on('question', (answer: (text: string) => void) => answer('yes'))
  t.same(await io.timeout(5_000).emitWithAck('question'), ['yes'])
  t.equal((await io.fetchSockets()).length, 1)
})
