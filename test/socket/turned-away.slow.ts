import t, { type Test } from 'tap'
import type { ErrorBody } from '../../contract/errors.js'
import type { Session } from '../../services/session/index.js'
import { build, client, connect, until } from '../helper.js'
import { openRaw } from '../helpers/raw.js'

// Between the yes of our middleware and the connection stands whatever middleware a host has: what happens meanwhile counts, too.

/** The service with a slow middleware of its host's behind ours. */
async function start(t: Test) {
  const service = await build(t)
  const { io, chat } = service.app
  const { arrive } = chat.sessions
  const world = { service, chat, io, waiting: [] as (() => void)[], sessions: [] as Session[], connected: 0 }
  chat.sessions.arrive = async (...args) => {
    const session = await arrive(...args)
    world.sessions.push(session)
    return session
  }
  io.use((_socket, next) => void world.waiting.push(next))
  io.on('connection', () => {
    world.connected += 1
  })
  return world
}

t.test('who is ended before the connection never has one', async (t) => {
  const world = await start(t)
  const { service, chat, io, waiting, sessions } = world
  const socket = client(t, service, 'alice', { reconnectionDelay: 20, reconnectionDelayMax: 50 })
  socket.on('connect', () => t.fail('let in'))
  const refused = new Promise<Error & { data?: ErrorBody }>((resolve) => socket.once('connect_error', resolve))
  socket.connect()
  await until('the host is asked', () => waiting.length === 1)
  t.equal(sessions[0]?.state.is, 'ready')
  chat.sessions.end('alice', 'DISCONNECTED')
  t.match((await refused).data, { code: 'UNAUTHENTICATED', retryable: false })
  t.equal(socket.active, false, 'the client stays away')
  const { values } = await chat.metrics.refusals.get()
  t.match(values, [{ labels: { code: 'UNAUTHENTICATED' }, value: 1 }], 'it is counted')

  await until('the connection is gone', () => io.engine.clientsCount === 0)
  waiting[0]?.()
  await turns()
  t.equal(world.connected, 0, 'the host never hears of it')
  t.equal(chat.hub.countUsers(), 0)
  t.equal(sessions[0]?.state.is, 'gone')
})

t.test('who is ended, and let in by the host in the same turn, never has a connection either', async (t) => {
  const world = await start(t)
  const { service, chat, waiting, sessions } = world
  const raw = await openRaw(t, service.url)
  raw.send(`40${JSON.stringify({ token: service.token('alice') })}`)
  await until('the host is asked', () => waiting.length === 1)
  waiting[0]?.()
  chat.sessions.end('alice', 'TOKEN_REVOKED')
  t.match(await raw.take('44'), /UNAUTHENTICATED/)
  t.equal(await raw.take('40'), null, 'closed, and never let in')
  await turns()
  t.same([world.connected, chat.hub.countUsers(), sessions[0]?.state.is], [0, 0, 'gone'])
})

t.test('who goes before the connection leaves nothing behind', async (t) => {
  const world = await start(t)
  const { service, chat, io, waiting, sessions } = world
  const raw = await openRaw(t, service.url)
  raw.send(`40${JSON.stringify({ token: service.token('alice') })}`)
  await until('the host is asked', () => waiting.length === 1)
  raw.close()
  await until('it is gone', () => io.engine.clientsCount === 0)
  t.equal(sessions[0]?.state.is, 'gone')
  waiting[0]?.()
  await turns()
  t.same([world.connected, chat.hub.countUsers()], [0, 0])

  const connecting = connect(t, service, 'alice')
  await until('the host is asked again', () => waiting.length === 2)
  waiting[1]?.()
  t.ok((await connecting).socket.connected, 'who comes next is let in')
  t.equal(world.connected, 1)
})

/** Some turns of the loop, in which whatever was let in would be here. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}
