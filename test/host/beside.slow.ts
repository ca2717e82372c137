import { once } from 'node:events'
import cors from '@fastify/cors'
import env from '@fastify/env'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Server } from 'socket.io'
import { io as stock } from 'socket.io-client'
import t from 'tap'
import chat from '../../app.js'
import { connect, must, next } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'

const OTHER_SECRET = 'host-host-host-host-host-host-host'

t.test('a host that has everything already keeps it, and has a chat', async (t) => {
  const lines: string[] = []
  const host = createHost(t, { logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } } })
  const seen: string[] = []
  const ended: string[] = []

  await host.register(jwt, { secret: OTHER_SECRET, namespace: undefined as unknown as string })
  await host.register(env, { schema: { type: 'object', properties: { A: { default: 'the host' } } }, data: {} })
  await host.register(cors, { origin: 'https://host.example' })
  await host.register(helmet, { hidePoweredBy: true })
  await host.register(swagger, { openapi: { info: { title: 'The host', version: '9' } } })
  await host.register(swaggerUi, { routePrefix: '/host-docs' })
  for (const name of ['db', 'auth', 'door', 'coerce']) host.decorate(name, `the host's ${name}`)
  const socketServer = new Server(host.server, { path: '/host.io' })
  host.decorate('io', socketServer as never)
  host.addHook('preClose', async () => void socketServer.local.disconnectSockets(true))

  host.setErrorHandler((error, _request, reply) => reply.status(499).send({ hosts: (error as Error).message }))
  host.setValidatorCompiler(() => () => ({ error: new Error('the host validates nothing of ours') }))
  host.setSerializerCompiler(() => () => '"the host serializes"')
  host.removeContentTypeParser('application/json')
  host.addContentTypeParser('application/json', async () => ({ parsed: 'by the host' }))
  host.addHook('onRequest', async (request) => void seen.push(request.url))
  host.addHook('onClose', async () => void ended.push('the host'))

  // Not awaited, as most hosts have it: what follows is set before the chat is loaded.
  host.register(chat, await chatOptions(t, { prefix: '/chat', docs: true }))
  host.setNotFoundHandler((_request, reply) => void reply.status(404).type('text/plain').send('nothing of the host'))
  host.get('/broken', () => {
    throw new Error('broken')
  })
  host.get('/read', { schema: { response: { 200: {} } } }, async () => ({ read: true }))
  host.post('/parsed', async (request) => JSON.stringify(request.body))
  host.get('/token', async (request) => request.jwtVerify())

  const service = await serviceOf(host, '/chat')
  await host.chat.users.ensure(['alice', 'bob'].map((userId) => ({ userId, name: userId, avatarUrl: null })))

  t.test('its own ways are as they were', async (t) => {
    t.equal((await host.inject('/broken')).statusCode, 499)
    t.equal((await host.inject('/nothing')).body, 'nothing of the host')
    t.equal((await host.inject('/read')).body, '"the host serializes"')
    const parsed = await host.inject({ method: 'POST', url: '/parsed', payload: { mine: 1 } })
    t.equal(parsed.body, '{"parsed":"by the host"}')
    const token = host.jwt.sign({ user: 1 })
    const verified = await host.inject({ url: '/token', headers: { authorization: `Bearer ${token}` } })
    t.match(verified.json(), { user: 1 })
    t.same(Object.keys(host.jwt).includes('chatSocketService'), false, 'nothing is put into its jwt')
    t.match(host.config, { A: 'the host' })
    t.equal((host as unknown as Record<string, unknown>).db, `the host's db`)
    t.equal(host.io, socketServer)
    t.notOk(host.hasRequestDecorator('chatCaller'))
  })

  t.test('the chat is under its prefix, in its own words', async (t) => {
    t.match(await service.call('GET', '/health'), { status: 200, body: { status: 'ok' } })
    t.match(await service.call('GET', '/nothing'), { status: 404, body: { error: { code: 'NOT_FOUND' } } })
    t.match(await service.call('GET', '/chats'), { status: 401, body: { error: { code: 'UNAUTHENTICATED' } } })
    const bad = await service.call('POST', '/chats', { as: 'alice', body: { type: 'no', memberIds: [] } })
    t.match(bad, { status: 400, body: { error: { code: 'VALIDATION_FAILED', details: [{ path: '/type' }] } } })
    const broken = await service.call('POST', '/chats', {
      as: 'alice',
      headers: { 'content-type': 'application/json' },
    })
    t.match(broken, { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } })
    t.equal((await host.inject('/health')).body, 'nothing of the host')
    t.ok(seen.includes('/chat/health'), `the host's hooks see it`)
    const strange = host.jwt.sign({ sub: 'alice' }, { expiresIn: 60 })
    const refused = await service.call('GET', '/chats', { headers: { authorization: `Bearer ${strange}` } })
    t.equal(refused.status, 401, `the host's tokens are not the chat's`)
  })

  t.test('its document tells of the chat', async (t) => {
    const { paths, info } = host.swagger() as { paths: Record<string, unknown>; info: { title: string } }
    t.equal(info.title, 'The host')
    t.ok(paths['/chat/chats/{chatId}/messages'])
    t.equal((await host.inject('/host-docs')).statusCode, 200)
    t.match((await host.inject('/chat/openapi.json')).json(), { servers: [{ url: '/chat' }] }, 'and so does its own')
  })

  t.test('both servers of sockets work', async (t) => {
    const { body } = await service.call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })
    const { socket: alice } = await connect(t, service, 'alice')
    const { socket: bob } = await connect(t, service, 'bob', { transports: ['polling'] })
    const coming = next(bob, 'new_message')
    const sent = await must(alice, 'send_message', { chatId: body.chat.chatId, content: 'hello' })
    t.same(await coming, sent.message)

    const guest = stock(service.url, { path: '/host.io', forceNew: true, transports: ['websocket'] })
    t.teardown(() => guest.disconnect())
    await once(guest as never, 'connect')

    const startedAt = performance.now()
    const gone = [alice, bob, guest].map((socket) => once(socket as never, 'disconnect'))
    await host.close()
    await Promise.all(gone)
    t.ok(performance.now() - startedAt < 5_000, 'close() ends with clients connected')
    t.same(ended, ['the host'])
    await t.rejects(() => host.chat.db.run('after', 'SELECT 1', []), 'the database is closed')
    t.ok(
      lines.some((line) => line.includes('sockets are closing')),
      `the host's logger has our lines`,
    )
  })
})

t.test('two chats in one process, on one server', async (t) => {
  const host = createHost(t)
  await host.register(jwt, { secret: OTHER_SECRET })
  const one = await chatOptions(t, { prefix: '/one', socketPath: '/one/socket.io', decorator: 'one' as 'chat' })
  const two = await chatOptions(t, { prefix: '/two', socketPath: '/two/socket.io', decorator: 'two' as 'chat' })
  await host.register(chat, one)
  await host.register(chat, two)
  const chats = host as unknown as Record<'one' | 'two', typeof host.chat>
  for (const name of ['one', 'two'] as const) {
    await chats[name].users.ensure([{ userId: 'alice', name: `Alice of ${name}`, avatarUrl: null }])
  }
  for (const name of ['one', 'two'] as const) {
    const service = await serviceOf(host, `/${name}`)
    const { socket, session } = await connect(t, service, 'alice', { path: `/${name}/socket.io` })
    t.equal(session.user.name, `Alice of ${name}`)
    const { chat } = await must(socket, 'create_chat', { type: 'direct', memberIds: ['alice'] })
    await must(socket, 'send_message', { chatId: chat.chatId, content: name })
    const { body } = await service.call('GET', `/chats/${chat.chatId}/messages`, { as: 'alice' })
    t.equal(body.messages[0].content, name)
    const other = await serviceOf(host, name === 'one' ? '/two' : '/one')
    t.equal((await other.call('GET', `/chats/${chat.chatId}`, { as: 'alice' })).status, 404)
  }
  t.equal(host.hasDecorator('chat'), false)
})
