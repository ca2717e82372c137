import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import {
  API_KEY,
  build,
  type ClientSocket,
  client,
  collect,
  connect,
  embeddedDir,
  inSeconds,
  must,
  next,
  onEachDatabase,
  SECRET,
  type Service,
  sign,
  until,
} from '../helper.js'
import { startServer } from '../helpers/process.js'
import { openRaw } from '../helpers/raw.js'

const gone = (socket: ClientSocket) => new Promise<string>((resolve) => socket.once('disconnect', resolve))

/** The Engine.IO handshake of a client that polls, and its first packets. */
async function openPolling({ url }: Service, ...packets: string[]) {
  const endpoint = `${url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(endpoint)).text()).slice(1))
  for (const body of packets) await fetch(`${endpoint}&sid=${sid}`, { method: 'POST', body })
  return { sid: sid as string, poll: async () => (await fetch(`${endpoint}&sid=${sid}`)).text() }
}

onEachDatabase('a close leaves nobody hanging', async (t, database) => {
  const service = await build(t, { ...database, drainMs: 100, presenceGraceMs: 60_000 })
  const { host, app, url } = service
  app.io.of('/other')
  const alice = await connect(t, service, 'alice')
  const bob = await connect(t, service, 'bob', { transports: ['polling'] })
  const stranger = client(t, { ...service, url: `${url}/other` }, 'carol', { auth: {} })
  stranger.connect()
  await new Promise((resolve) => stranger.once('connect', resolve as () => void))
  const bare = await openRaw(t, url)
  const barePolling = await openPolling(service)
  // Joined, and never polled again: no answer can tell it that the server goes.
  const silent = await openPolling(service, `40${JSON.stringify({ token: service.token('dave') })}`)
  const upgrading = await openPolling(service, `40${JSON.stringify({ token: service.token('dave') })}`)
  const probe = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${upgrading.sid}`)
  t.teardown(() => probe.terminate())
  await once(probe, 'open')
  probe.send('2probe')
  t.equal(String((await once(probe, 'message'))[0]), '3probe')
  // Hears nothing, and so does not answer the goodbye: a close waited for it as long as ws does, half a minute.
  const deafened = once(host.server, 'upgrade')
  const deaf = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  t.teardown(() => deaf.terminate())
  await once(deaf, 'open')
  deaf.pause()
  app.door.onClosed(async () => {
    const [, socket] = (await deafened) as [unknown, Socket]
    t.ok(socket.destroyed, 'who does not say goodbye is cut')
  })
  // What broke: a browser connects ahead of its requests, and the close waited half a minute for one that had said nothing.
  const mute = net.connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => mute.destroy())
  await once(mute, 'connect')
  await until('all are in', async () => (await service.call('GET', '/health')).body.onlineUsers === 3)
  t.equal(app.io.engine.clientsCount, 8)

  const ends = Promise.all([
    gone(alice.socket),
    gone(bob.socket),
    bare.take('nothing'),
    once(probe, 'close'),
    once(mute, 'close'),
  ])
  await host.close()
  t.equal(app.io.engine.clientsCount, 0, 'no engine connection is left')
  t.notOk(host.server.listening)
  t.same((await ends).slice(0, 2), ['transport close', 'transport close'])
  t.ok(alice.socket.active && bob.socket.active, 'stock clients go on trying')
  await host.close()
  t.pass('a second close is harmless')
  await Promise.all([barePolling, silent].map(({ poll }) => t.rejects(poll())))

  const later = await build(t, database)
  const { statuses } = (
    await later.call('POST', '/users/status/bulk', { as: 'service', body: { userIds: ['alice', 'bob', 'dave'] } })
  ).body
  for (const status of statuses) {
    t.match(status, { isOnline: false, lastSeenAt: String }, `last seen of ${status.userId} was saved`)
  }
})

onEachDatabase('what is under way is answered', async (t, database) => {
  // Without a window all that waits for a client's next poll waits when the last socket has been closed.
  for (const drainMs of [1_500, 0]) {
    await t.test(`within ${drainMs} ms`, async (t) => {
      await answersAll(t, await build(t, { ...database, drainMs }), `busy-${drainMs}`, drainMs)
    })
  }
})

async function answersAll(t: Test, service: Service, chatId: string, drainMs: number): Promise<void> {
  const { host, app } = service
  const users = ['alice', 'bob', 'carol', 'dave']
  await service.call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds: users, chatId } })
  let rows: { id: string }[] = []
  app.door.onClosed(async () => {
    rows = await app.db.run('all_messages', 'SELECT id FROM messages WHERE chat_id = $1', [chatId])
  })

  const acked = new Set<string>()
  const refused: string[] = []
  let closed: Promise<unknown> | undefined
  const send = (socket: ClientSocket, content: string) =>
    socket.emit('send_message', { chatId, content }, (answer) => {
      if (answer.ok) acked.add(answer.data.message.id)
      else refused.push(answer.error.code)
      closed ??= host.close()
    })

  const sockets: ClientSocket[] = []
  for (const [i, userId] of [...users, ...users].entries()) {
    sockets.push((await connect(t, service, userId, { transports: [i % 2 ? 'polling' : 'websocket'] })).socket)
  }
  const told = sockets.map((socket) => next(socket, 'server_draining'))
  const ended = sockets.map(gone)
  for (const socket of sockets) {
    socket.once('server_draining', () => send(socket, 'too late'))
    for (let i = 0; i < 50; i += 1) send(socket, `message ${i}`)
  }

  for (const { reconnectInMs } of await Promise.all(told)) t.ok(reconnectInMs >= 0 && reconnectInMs <= drainMs)
  t.strictSame(
    await Promise.all(ended),
    sockets.map(() => 'transport close'),
  )
  await closed
  t.ok(rows.length >= sockets.length, `${rows.length} of 400 sends were committed`)
  t.same(
    rows.filter(({ id }) => !acked.has(id)),
    [],
    'each of them was acked',
  )
  t.equal(acked.size, rows.length, 'and nothing else')
  t.same(refused, [], 'and nothing was refused')
}

t.test('stock clients come back when a server does', async (t) => {
  const before = await build(t)
  const port = Number(new URL(before.url).port)
  const sockets = [
    (await connect(t, before, 'alice')).socket,
    (await connect(t, before, 'bob', { transports: ['polling'] })).socket,
    (await connect(t, before, 'carol', { transports: ['polling', 'websocket'] })).socket,
  ]
  const back = sockets.map((socket) => next(socket, 'session'))
  await before.host.close()

  const after = await build(t)
  const street = net.createServer((socket) => {
    const house = net.connect(Number(new URL(after.url).port), '127.0.0.1')
    socket.on('error', () => house.destroy()).pipe(house)
    house.on('error', () => socket.destroy()).pipe(socket)
  })
  street.listen(port, '127.0.0.1')
  t.teardown(() => street.close())
  t.match(await Promise.all(back), [
    { user: { userId: 'alice' } },
    { user: { userId: 'bob' } },
    { user: { userId: 'carol' } },
  ])
})

const token = (userId: string) => sign({ sub: userId, exp: inSeconds(60) })

/** The lines that a process logs from now on. */
function listen({ stdout }: ChildProcess): { level: number }[] {
  const lines: { level: number }[] = []
  createInterface({ input: stdout as NonNullable<typeof stdout> }).on('line', (line) => lines.push(JSON.parse(line)))
  return lines
}

t.test('a signal ends the process well', async (t) => {
  const env = {
    DATA_DIR: await embeddedDir(t),
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DRAIN_MS: '200',
  }
  // A second one, of an impatient hand, must not cut short what the first began.
  for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGINT', 'SIGINT']] as const) {
    await t.test(signals.join(', then '), async (t) => {
      const { child, url } = await startServer(t, env)
      const logged = listen(child)
      const service = { url, token } as Service
      const alice = await connect(t, service, 'alice')
      const bob = await connect(t, service, 'bob', { transports: ['polling'] })
      const { chat } = await must(alice.socket, 'create_chat', { type: 'direct', memberIds: ['bob'] })
      const heard = collect(bob.socket, 'new_message')
      await must(alice.socket, 'send_message', { chatId: chat.chatId, content: 'hello' })
      await until('bob has it', () => heard.length === 1)

      const told = [next(alice.socket, 'server_draining'), next(bob.socket, 'server_draining')]
      const ended = once(child, 'close')
      child.kill(signals[0])
      await Promise.all(told)
      for (const signal of signals.slice(1)) child.kill(signal)
      t.same(await ended, [0, null], 'exit code 0')
      t.same(
        logged.filter(({ level }) => level >= 40),
        [],
        'the log has no warning and no error',
      )
    })
  }
})
