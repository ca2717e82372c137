import t from 'tap'
import { createLanes } from '../../plugins/socket/lanes.js'
import type { ChatSocket } from '../../plugins/socket/types.js'
import { createSeats } from '../../services/limits/seats.js'
import { build, connect, must, onEachDatabase, until } from '../helper.js'
import { openRaw } from '../helpers/raw.js'

const FLOOD = 5_000

// What broke: 5,000 reads of one socket, sent in a second, held the database for minutes: nobody was let in, sends failed, and it went on
// when the socket was long gone.
onEachDatabase('what one socket asks for stands in nobody’s way', async (t, database) => {
  const service = await build(t, database)
  const { socket: bob } = await connect(t, service, 'bob')
  const { chat } = await must(bob, 'create_chat', { type: 'direct', memberIds: ['alice'] })
  const { chatId } = chat
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => must(bob, 'send_message', { chatId, content: `${i}`.padEnd(200, '.') })),
  )
  const { binder } = service.app.chat
  const { run } = binder
  let reads = 0
  let mostAtOnce = 0
  let atOnce = 0
  binder.run = async (name, caller, payload) => {
    if (name !== 'get_messages') return run(name, caller, payload)
    reads += 1
    atOnce += 1
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    return run(name, caller, payload).finally(() => {
      atOnce -= 1
    })
  }

  const flooder = await openRaw(t, service.url, service.token('alice'))
  flooder.send(
    ...Array.from({ length: FLOOD }, (_, i) => `42${i}["get_messages",${JSON.stringify({ chatId, limit: 200 })}]`),
  )
  await until('it floods', () => reads > 0)
  const sent = await must(bob, 'send_message', { chatId, content: 'meanwhile' })
  t.equal(sent.duplicate, false, 'a neighbour’s send goes on')
  const { session } = await connect(t, service, 'carol')
  t.equal(session.user.userId, 'carol', 'somebody new is let in')
  t.ok(reads < FLOOD, `while ${FLOOD - reads} reads are still to come`)
  t.ok(mostAtOnce <= 32, `at most 32 at once: ${mostAtOnce}`)

  flooder.cut()
  await until('it is gone', () => service.app.chat.hub.countOf('alice') === 0)
  const before = reads
  t.match(await service.call('GET', '/ready'), { status: 200 })
  await until('what was under way is done', () => atOnce === 0)
  t.equal(reads, before, 'what waited for it is dropped')
})

t.test('what waits for a socket that is gone is dropped', async (t) => {
  const read: string[] = []
  const lanes = createLanes({ pause: () => read.push('pause'), resume: () => read.push('resume') }, createSeats())
  const socket = { data: { userId: 'alice', running: 0 } } as ChatSocket
  const started: number[] = []
  for (let i = 0; i < 40; i += 1) lanes.enter(socket, () => started.push(i))
  t.equal(started.length, 32)
  t.same(read, ['pause'], 'it is not read while some wait')
  lanes.leave(socket)
  t.same([started.length, lanes.size()], [33, 7], 'one that is done lets one in')
  lanes.drop(socket)
  lanes.leave(socket)
  t.same([started.length, lanes.size()], [33, 0])
  t.same(read, ['pause'], 'and it is read no more')
})

t.test('what waits is bounded, and a socket whose commands are done is read again', async (t) => {
  const read: string[] = []
  const lanes = createLanes({ pause: () => read.push('pause'), resume: () => read.push('resume') }, createSeats())
  const socket = { data: { userId: 'alice', running: 0 } } as ChatSocket
  let started = 0
  const start = () => {
    started += 1
  }
  const taken = Array.from({ length: 5_000 }, () => lanes.enter(socket, start))
  t.equal(taken.filter(Boolean).length, 32 + 4_096)
  for (let i = 0; i < 32 + 4_096; i += 1) lanes.leave(socket)
  t.same([started, socket.data.running, read], [32 + 4_096, 0, ['pause', 'resume']])
})

onEachDatabase('a socket that sends faster than it is answered gets every answer, in order', async (t, database) => {
  const service = await build(t, database)
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: [], title: 'x' })
  const sent = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => must(socket, 'send_message', { chatId: chat.chatId, content: `${i}` })),
  )
  t.same(
    sent.map(({ message }) => message.seq),
    Array.from({ length: 1_000 }, (_, i) => i + 1),
  )
})
