import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import t from 'tap'
import { build, inSeconds } from '../helper.js'
import { clientOf, online, when } from './client.js'

t.test('tokens', async (t) => {
  const service = await build(t)
  const needsToken = ({ state }: { state: string }) => state === 'needs-token'
  const isRefused = ({ state }: { state: string }) => state === 'refused'

  await t.test('another is asked for when one ends, and the client goes on', async (t) => {
    let count = 0
    const getToken = () => service.token('alice', { exp: inSeconds(count++ === 0 ? 3 : 3_600) })
    const client = clientOf(t, service, 'alice', { getToken })
    await online(client)
    const socketIds = [...service.app.io.of('/').sockets.keys()]
    // It is told a minute before, which is at once.
    await sleep(4_000)
    t.match(client.connection.get(), { state: 'online' })
    t.same([...service.app.io.of('/').sockets.keys()], socketIds, 'on the same connection')
    t.equal(count, 2)
  })

  await t.test('one that has ended is not tried twice', async (t) => {
    let count = 0
    const token = service.token('alice', { exp: inSeconds(-10) })
    const getToken = async () => {
      count += 1
      return token
    }
    const client = clientOf(t, service, 'alice', { getToken })
    t.match(await when(client.connection, 'needs-token', needsToken), { error: { code: 'TOKEN_EXPIRED' } })
    t.equal(count, 2)
  })

  await t.test('where there are only such, a new sign-in is wanted', async (t) => {
    let count = 0
    const getToken = () => service.token('alice', { exp: inSeconds(-10 - count++) })
    const client = clientOf(t, service, 'alice', { getToken })
    t.match(await when(client.connection, 'needs-token', needsToken), { error: { code: 'TOKEN_EXPIRED' } })
    t.equal(count, 2)
  })

  await t.test('one that ends while it is used is not brought back', async (t) => {
    const token = service.token('alice', { exp: inSeconds(2) })
    let opened = 0
    const client = clientOf(t, service, 'alice', { getToken: () => token })
    await online(client)
    service.app.io.engine.on('connection', () => (opened += 1))
    t.match(await when(client.connection, 'needs-token', needsToken), { closing: { code: 'TOKEN_EXPIRED' } })
    t.equal(opened, 0, 'it did not even connect with it')
  })

  await t.test('without a network there is none for now, which passes', async (t) => {
    const states = new Set<string>()
    let tries = 0
    const getToken = async () => {
      tries += 1
      // Nobody listens there.
      if (tries <= 2) await fetch('http://127.0.0.1:1/token')
      return service.token('alice')
    }
    const client = clientOf(t, service, 'alice', { getToken })
    client.connection.subscribe(() => states.add(client.connection.get().state))
    await online(client)
    t.equal(tries, 3)
    t.ok(states.has('offline'))
    t.notOk(states.has('needs-token'))
  })

  await t.test('one that has ended is replaced', async (t) => {
    const tokens = [service.token('alice', { exp: inSeconds(-10) })]
    const client = clientOf(t, service, 'alice', { getToken: () => tokens.pop() ?? service.token('alice') })
    await online(client)
    t.match(client.connection.get(), { error: null, closing: null })
  })

  await t.test('two bad ones are enough', async (t) => {
    let count = 0
    const client = clientOf(t, service, 'alice', { getToken: () => `bad${count++}` })
    t.match(await when(client.connection, 'refused', isRefused), { error: { code: 'UNAUTHENTICATED' } })
    t.equal(count, 2)
  })

  await t.test('without one it waits until it is told to go on', async (t) => {
    let isThere = false
    const getToken = async () => {
      if (!isThere) throw new Error('not signed in')
      return service.token('alice')
    }
    const client = clientOf(t, service, 'alice', { getToken })
    await when(client.connection, 'needs-token', needsToken)
    await t.rejects(client.command('list_chats', {}), { code: 'OFFLINE', retryable: true })
    isThere = true
    client.connect()
    await online(client)
  })

  await t.test('an end for good is one, until somebody wants it otherwise', async (t) => {
    const client = clientOf(t, service, 'alice')
    await online(client)
    await service.call('POST', '/users/alice/disconnect', { as: 'service' })
    t.match(await when(client.connection, 'refused', isRefused), {
      closing: { code: 'DISCONNECTED', retryable: false },
    })
    client.connect()
    await online(client)
    t.equal(client.connection.get().closing, null)
  })

  await t.test('what is too large is refused here', async (t) => {
    const client = clientOf(t, service, 'bob')
    await online(client)
    const large = client.command('send_message', { chatId: 'any', content: 'й'.repeat(131_100) })
    await t.rejects(large, { code: 'PAYLOAD_TOO_LARGE', retryable: false })
    const lesser = client.command('send_message', { chatId: 'any', content: 'й'.repeat(130_000) })
    await t.rejects(lesser, { code: /NOT_FOUND|VALIDATION_FAILED/ }, 'and what is not, is sent')
    t.match(client.connection.get(), { state: 'online' })
  })
})

t.test('tokens are asked for in no storm', async (t) => {
  const service = await build(t)

  await t.test('of ones that live too short, not one after the other is asked for', async (t) => {
    let count = 0
    const getToken = () => service.token('alice', { exp: inSeconds(20 + count++) })
    const client = clientOf(t, service, 'alice', { getToken })
    await online(client)
    // It is warned of each at once: as often as one of these is answered, the next could have been asked for.
    for (let i = 0; i < 30; i += 1) await client.command('get_users', { userIds: ['alice'] })
    t.equal(count, 2)
  })

  await t.test('a file is asked for with that of the session', async (t) => {
    let count = 0
    const getToken = () => service.token('alice', { jti: String(count++) })
    const client = clientOf(t, service, 'alice', { getToken })
    await online(client)
    const none = '018f0000-0000-7000-8000-000000000000'
    for (let i = 0; i < 3; i += 1) await t.rejects(client.download(none), { code: 'NOT_FOUND' })
    t.equal(count, 1)
    await client.close()
    await t.rejects(client.download(none), { code: 'NOT_FOUND' })
    t.equal(count, 2, 'and without one, with a new one')
  })

  await t.test('where the server says later, and not when, it is longer each time', async (t) => {
    const io = new Server(0)
    t.teardown(() => io.close())
    let refusals = 0
    io.use((_socket, next) => {
      const data = { code: 'UNAVAILABLE', message: 'Later.', retryable: true }
      next(++refusals > 3 ? undefined : Object.assign(new Error('Later.'), { data }))
    })
    const accepted = once(io, 'connection')
    const timers = t.capture(globalThis, 'setTimeout', globalThis.setTimeout)
    let count = 0
    const getToken = () => String(count++)
    const { port } = io.httpServer.address() as AddressInfo
    clientOf(t, { ...service, url: `http://127.0.0.1:${port}` }, 'alice', { getToken })
    await accepted
    // With its chance in it, no other short wait is a broken number.
    const waits = timers().flatMap(({ args: [, ms = 0] }) => (ms > 5_000 || Number.isInteger(ms) ? [] : [ms]))
    t.equal(waits.length, 3)
    for (const [i, ms] of waits.entries()) t.ok(ms >= 250 * 2 ** i && ms <= 500 * 2 ** i, `${ms} ms`)
    t.equal(count, 4, 'one token for each try')
  })
})
