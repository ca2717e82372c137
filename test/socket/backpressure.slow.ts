import t from 'tap'
import { build, connect, must, onEachDatabase, until } from '../helper.js'

const MAX_BYTES = 65_536
const CONTENT = 'x'.repeat(4_000)
const MESSAGES = 60
const AT_ONCE = 5
/** The transport looks once a second. */
const LOOK_MS = 1_000

// What broke: what waits for a socket that polls was looked at once a second alone, and grew to megabytes in between.
onEachDatabase('a socket that polls no more is closed before too much waits for it', async (t, database) => {
  const service = await build(t, { ...database, maxSocketBufferBytes: MAX_BYTES })
  const { io, inside, chat } = service.app
  const { socket: bob } = await connect(t, service, 'bob')
  const {
    chat: { chatId },
  } = await must(bob, 'create_chat', { type: 'group', memberIds: ['alice', 'carol'] })
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
  await fetch(`${url}&sid=${sid}`, { method: 'POST', body: `40${JSON.stringify({ token: service.token('alice') })}` })
  await until('alice is here', () => chat.hub.countOf('alice') === 1)
  const alice = [...io.of('/').sockets.values()].find(({ data }) => data.userId === 'alice')
  if (!alice) throw new Error('alice is not here')
  const { socket: carol } = await connect(t, service, 'carol', { transports: ['polling'] })

  let most = 0
  let heard = 0
  carol.on('new_message', () => {
    heard += 1
  })
  for (let sent = AT_ONCE; sent <= MESSAGES; sent += AT_ONCE) {
    const send = async () => {
      await must(bob, 'send_message', { chatId, content: CONTENT })
      most = Math.max(most, inside.waitingBytes(alice))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, send))
    await until('who polls has heard all', () => heard === sent)
  }
  await until('alice is gone', () => chat.hub.countOf('alice') === 0)
  t.ok(most > MAX_BYTES / 2, `${most} bytes waited`)
  // One more commit may have come on top.
  t.ok(most <= MAX_BYTES + AT_ONCE * (CONTENT.length + 1_000), `${most} bytes at most`)
  const closings = (await chat.metrics.closings.get()).values.filter(({ value }) => value > 0)
  t.match(closings, [{ labels: { code: 'SLOW_CONSUMER' }, value: 1 }])
  t.equal((await fetch(`${url}&sid=${sid}`)).status, 400)
})

// What broke: whose `session` was larger than all that may wait was closed while it was on its way, came back, and was closed again, for ever.
t.test('a session is waited for, however large it is', async (t) => {
  const service = await build(t, { maxSocketBufferBytes: MAX_BYTES })
  const { hub, log } = service.app.chat
  const founders = ['alice', 'bob']
  const chats = await Promise.all(
    Array.from({ length: 20 }, () => log.createChat({ type: 'group', owner: 'alice', founders })),
  )
  const say = (chatId: string) => log.append({ chatId, senderId: 'bob', content: 'x'.repeat(8_000) })
  for (const { chatId } of chats) await say(chatId)
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
  const poll = async () => {
    const answer = await fetch(`${url}&sid=${sid}`)
    if (!answer.ok) throw new Error(`a poll was answered ${answer.status}`)
    return answer.text()
  }
  await fetch(`${url}&sid=${sid}`, { method: 'POST', body: `40${JSON.stringify({ token: service.token('alice') })}` })
  await until('she is in', () => hub.countOf('alice') === 1)
  const [socket] = service.app.io.of('/').sockets.values()
  if (!socket) throw new Error('alice is not here')
  t.ok(service.app.inside.waitingBytes(socket) > 2 * MAX_BYTES, 'her session waits')
  const [first] = chats
  await say(first?.chatId ?? '')
  await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS))
  t.equal(hub.countOf('alice'), 1, 'for several looks, and while more is told')
  let told = ''
  while (!told.includes('"new_message"')) told += await poll()
  t.match(told, /"session"/)
  t.equal(service.app.inside.lateBytes(socket), 0)
})

t.test('what waits in a queue is counted once', async (t) => {
  const service = await build(t)
  const { io, inside } = service.app
  await connect(t, service, 'alice')
  const [socket] = io.of('/').sockets.values()
  if (!socket) throw new Error('alice is not here')
  const queue = [{ data: 'abc' }]
  const before = inside.waitingBytes(socket)
  const waiting = () => inside.waitingBytes(socket) - before
  Object.assign(socket.conn, { writeBuffer: queue })
  t.same([waiting(), waiting()], [3, 3])
  queue.push({ data: 'de' }, {} as { data: string })
  t.equal(waiting(), 5)
  Object.assign(socket.conn, { writeBuffer: [] })
  t.equal(waiting(), 0)
})
