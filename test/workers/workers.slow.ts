import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EventPayload } from '../../contract/events.js'
import { type ClientSocket, type ConnectOptions, collect, connect, must, next, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'
import { isAlive, type Machine, startMachine } from './machine.js'

t.setTimeout(600_000)

const KINDS: Record<string, string[]> = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
}
const WORKERS = 4

const isUpgraded = ({ io }: ClientSocket) => io.engine.transport.name === 'websocket'

interface Somebody {
  userId: string
  socket: ClientSocket
  heard: EventPayload<'new_message'>[]
}

/** Some clients of each kind, all members of one chat; those that poll share their connections, as behind a proxy. */
async function crowd(t: Test, { service }: Machine, each: number) {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const people: Somebody[] = []
  for (const [kind, transports] of Object.entries(KINDS)) {
    for (let i = 0; i < each; i += 1) {
      const userId = `${kind}-${i}`
      const options: ConnectOptions = { transports, agent: agent as never, reconnectionDelayMax: 1_000 }
      const { socket } = await connect(t, service, userId, options)
      people.push({ userId, socket, heard: collect(socket, 'new_message') })
    }
  }
  const [first] = people as [Somebody]
  const memberIds = people.slice(1).map(({ userId }) => userId)
  const { chat } = await must(first.socket, 'create_chat', { type: 'group', title: 'all', memberIds })
  return { people, chatId: chat.chatId }
}

async function allSend({ people, chatId }: Awaited<ReturnType<typeof crowd>>, each: number): Promise<void> {
  const sends = people.flatMap(({ socket, userId }) =>
    Array.from({ length: each }, (_, i) => must(socket, 'send_message', { chatId, content: `${userId} ${i}` })),
  )
  await Promise.all(sends)
}

t.test('four workers', needsPostgres, async (t) => {
  const machine = await startMachine(t, WORKERS, { DATABASE_URL: await createDatabase(t) })
  const all = await crowd(t, machine, 4)
  const { people, chatId } = all

  await t.test('all clients hear all messages in one order, whichever worker has them', async (t) => {
    await allSend(all, 5)
    const count = people.length * 5
    await until('all have heard all', () => people.every(({ heard }) => heard.length >= count))
    for (const { userId, heard } of people) {
      t.same(
        heard.map(({ seq }) => seq),
        Array.from({ length: count }, (_, i) => i + 1),
        userId,
      )
    }
  })

  await t.test('who upgrades is on a WebSocket', async (t) => {
    for (const { socket } of people.filter(({ userId }) => userId.startsWith('upgrade'))) {
      await until('it has upgraded', () => isUpgraded(socket))
    }
    t.ok(people.every(({ socket }) => socket.connected))
  })

  // What broke: the processes that a connection came through went on reading it, and took what the client said first.
  await t.test('no upgrade is lost', async (t) => {
    const crowd = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        connect(t, machine.service, `up-${i}`, { transports: ['polling', 'websocket'] }),
      ),
    )
    await until('all have upgraded', () => crowd.every(({ socket }) => isUpgraded(socket)))
    for (const { socket } of crowd) socket.disconnect()
    t.pass('all are on a WebSocket')
    await until('they are gone', async () => (await machine.counts()).get('chat_connections') === people.length)
  })

  await t.test('one page counts what all have', async (t) => {
    const counts = await machine.counts()
    t.equal(counts.get('chat_workers'), WORKERS)
    t.equal(counts.get('chat_bus_ok'), 1)
    t.equal(counts.get('chat_connections'), people.length)
    t.equal(counts.get('chat_users'), people.length)
    t.equal(counts.get('chat_sends_total{outcome="stored"}'), people.length * 5)
    t.equal(counts.get('chat_deliveries_total'), people.length * people.length * 5)
    const [requests, upgrades] = ['request', 'upgrade'].map((kind) => counts.get(`chat_handed_total{kind="${kind}"}`))
    t.comment(`${requests} requests and ${upgrades} upgrades were handed on`)
    t.ok(requests && upgrades, 'some were handed on')
  })

  await t.test('who reads the sockets’ folder is this user alone', async (t) => {
    const [name = '', ...others] = readdirSync(machine.tmp)
    t.same(others, [])
    t.equal(statSync(join(machine.tmp, name)).mode & 0o777, 0o700)
    t.equal(readdirSync(join(machine.tmp, name)).length, WORKERS)
  })

  await t.test('a worker that is killed comes back, and so do its clients', async (t) => {
    const before = people.map(({ heard }) => heard.length)
    const [[id, pid] = [0, 0]] = machine.workers()
    const sids = new Set(people.filter(({ socket }) => socket.io.engine.id.startsWith(`w${id}-`)))
    t.ok(sids.size > 0, `${sids.size} of ${people.length} clients are there`)
    // A stock client on Node whose poll was on a connection of before does not see it end, and waits for the next ping: up to 25 s.
    const back = Promise.all([...sids].map(({ socket }) => once(socket as never, 'session')))
    process.kill(pid, 'SIGKILL')
    await back
    await machine.allServe()
    t.notOk(machine.workers().has(id), 'by another number')
    await until('all are in', () => people.every(({ socket }) => socket.connected))
    const [, sender] = people as [Somebody, Somebody]
    await must(sender.socket, 'send_message', { chatId, content: 'still here' })
    await until('all hear it', () => people.every(({ heard }, i) => heard.length > (before[i] ?? 0)))
    const { chat } = await must(sender.socket, 'get_chat', { chatId })
    t.ok(people.every(({ heard }) => heard.at(-1)?.seq === chat.lastSeq))
  })

  await t.test('a signal drains all as one', async (t) => {
    const told = Promise.all(people.map(({ socket }) => next(socket, 'server_draining')))
    const ended = once(machine.parent, 'exit')
    const pids = [...machine.workers().values()]
    const atSignal = machine.lines.length
    for (const { socket } of people) socket.io.reconnection(false)
    machine.parent.kill('SIGTERM')
    await told
    machine.parent.kill('SIGTERM')
    t.same(await ended, [0, null])
    t.same(pids.filter(isAlive), [])
    t.same(readdirSync(machine.tmp), [], 'nothing is left')
    t.same(
      machine.lines.slice(atSignal).filter(({ level }) => level > 30),
      [],
      'and nothing went wrong',
    )
    t.equal(machine.lines.filter(({ msg }) => msg === '✅ stopped').length, WORKERS + 1)
  })
})

t.test('a parent that is killed takes its workers with it', needsPostgres, async (t) => {
  const machine = await startMachine(t, 2, { DATABASE_URL: await createDatabase(t) })
  const pids = [...machine.workers().values()]
  t.ok(pids.every(isAlive))
  machine.parent.kill('SIGKILL')
  await until('they are gone', () => !pids.some(isAlive))
})
