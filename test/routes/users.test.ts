import type { Test } from 'tap'
import { User } from '../../contract/shapes.js'
import { compile } from '../../services/validator.js'
import {
  API_KEY,
  build,
  type ClientSocket,
  client,
  collect,
  connect,
  inSeconds,
  must,
  next,
  onEachDatabase,
  type Service,
  until,
} from '../helper.js'

const isUser = compile(User)
const as = 'service'

onEachDatabase('what a main API says of its users', async (t, database) => {
  const service = await build(t, database)
  await t.test('makes and changes them', (t) => putsUsers(t, service))
  await t.test('is for services alone', (t) => refusesOthers(t, service))
  await t.test('a service acts for a user', (t) => actsForUsers(t, service))
  await t.test('cuts sockets', (t) => disconnects(t, service))
  await t.test('revokes tokens', (t) => revokesTokens(t, service))
  await t.test('cuts who is on the way in', (t) => cutsArrivals(t, service))
  await t.test('makes tombstones', (t) => deletesUsers(t, service))
  await t.test('erases what somebody wrote', (t) => erasesMessages(t, service))
})

async function putsUsers(t: Test, { call }: Service): Promise<void> {
  const put = (body: object) => call('PUT', '/users/erin', { as, body })
  const made = await put({ name: 'Erin', avatarUrl: 'https://example.org/e.png' })
  t.same(made, { status: 201, body: { userId: 'erin', name: 'Erin', avatarUrl: 'https://example.org/e.png' } })
  t.ok(isUser(made.body))
  t.same(await put({ name: 'Érin' }), { status: 200, body: { userId: 'erin', name: 'Érin', avatarUrl: null } })
  t.equal((await put({ name: '😀'.repeat(200), avatarUrl: null })).status, 200, 'lengths count code points')

  const refusals: [object, string][] = [
    [{}, '/name'],
    [{ name: '' }, '/name'],
    [{ name: ' ' }, '/name'],
    [{ name: 'x'.repeat(201) }, '/name'],
    [{ name: 'a\u0000b' }, '/name'],
    [{ name: null }, '/name'],
    [{ name: 5 }, '/name'],
    [{ name: 'Erin', avatarUrl: 'javascript:alert(1)' }, '/avatarUrl'],
    [{ name: 'Erin', avatarUrl: `https://example.org/${'x'.repeat(2_048)}` }, '/avatarUrl'],
    [{ name: 'Erin', role: 'root' }, '/role'],
  ]
  for (const [body, path] of refusals) {
    const fault = { error: { code: 'VALIDATION_FAILED', details: [{ path, message: String }] } }
    t.match(await put(body), { status: 400, body: fault }, JSON.stringify(body).slice(0, 40))
  }
  const users = await call('GET', '/users/erin', { as })
  t.match(users.body, { users: [{ name: '😀'.repeat(200), avatarUrl: null }] }, 'nothing refused was kept')
}

const ROUTES = [
  ['PUT', '/users/bob', { name: 'Mallory' }],
  ['DELETE', '/users/bob'],
  ['GET', '/users/bob/erasure'],
  ['GET', '/users/bob/export'],
  ['DELETE', '/chats/nowhere'],
  ['POST', '/users/bob/disconnect'],
  ['POST', '/users/bob/revoke-tokens'],
] as const

async function refusesOthers(t: Test, { call, token }: Service): Promise<void> {
  const bearer = (claims: object, userId = 'bob') => ({ authorization: `Bearer ${token(userId, claims)}` })
  const callers: [string, string, Record<string, string>][] = [
    ['nobody', 'UNAUTHENTICATED', {}],
    ['a wrong key', 'UNAUTHENTICATED', { 'x-api-key': API_KEY.replace('Z', 'z') }],
    ['a longer key', 'UNAUTHENTICATED', { 'x-api-key': `${API_KEY}x` }],
    ['a user', 'FORBIDDEN', bearer({})],
    ['a user of services', 'FORBIDDEN', bearer({ scope: 'services' })],
    ['a user with a list for a scope', 'FORBIDDEN', bearer({ scope: ['service'] })],
    ['a service for a user', 'FORBIDDEN', { 'x-api-key': API_KEY, 'x-on-behalf-of': 'bob' }],
  ]
  for (const [who, code, headers] of callers) {
    for (const [method, url, body] of ROUTES) {
      const answer = await call(method, url, { headers, ...(body && { body }) })
      t.match(answer.body, { error: { code } }, `${who}: ${method} ${url}`)
    }
  }
  t.match(await call('GET', '/users/bob', { as }), { body: { users: [{ name: 'BOB' }] } }, 'nothing was done')
  const scoped = await call('PUT', '/users/bob', { headers: bearer({ scope: 'read service' }), body: { name: 'BOB' } })
  t.equal(scoped.status, 200, 'a token whose scope holds the word is a service')
  const nobody = bearer({ scope: 'service', sub: undefined })
  t.equal(
    (await call('PUT', '/users/bob', { headers: nobody, body: { name: 'BOB' } })).status,
    200,
    'and needs no user',
  )
}

async function actsForUsers(t: Test, { call }: Service): Promise<void> {
  const group = { type: 'group', memberIds: [] }
  const made = await call('POST', '/chats', { as, onBehalfOf: 'alice', body: group })
  t.match(made, { status: 201, body: { chat: { myRole: 'owner' } } })
  const url = `/chats/${made.body.chat.chatId}/messages`
  const sent = await call('POST', url, { as, onBehalfOf: 'alice', body: { content: 'for her' } })
  t.match(sent, { status: 201, body: { message: { sender: { userId: 'alice' } } } })
  const stranger = await call('POST', url, { as, onBehalfOf: 'bob', body: { content: 'for him' } })
  t.match(
    stranger,
    { status: 404, body: { error: { code: 'NOT_FOUND' } } },
    'a service has no more rights than its user',
  )
  const ignored = await call('POST', url, { as: 'bob', onBehalfOf: 'alice', body: { content: 'as her' } })
  t.match(ignored, { status: 404, body: { error: { code: 'NOT_FOUND' } } }, 'a user speaks for nobody else')

  // Users were made here from the header, where token claims make them.
  const unknown = await call('GET', '/chats', { as, onBehalfOf: 'nobody' })
  t.match(unknown, { status: 404, body: { error: { code: 'NOT_FOUND' } } }, 'an unknown user')
  t.match(await call('GET', '/users/nobody', { as }), { body: { users: [] } }, 'is not made')
}

/** Settles when a socket is cut in a way after which a stock client stays away. */
async function staysAway(t: Test, socket: ClientSocket): Promise<void> {
  let reason = ''
  socket.once('disconnect', (why) => {
    reason = why
  })
  await until('the socket is cut', () => reason !== '')
  t.equal(reason, 'io server disconnect')
  t.notOk(socket.active, 'a stock client stays away')
}

async function isRefused(t: Test, service: Service, token: string): Promise<void> {
  const socket = client(t, service, 'anybody', { auth: { token } })
  let refusal: Error | undefined
  socket.once('connect_error', (error) => {
    refusal = error
  })
  socket.connect()
  await until('the token is refused', () => refusal !== undefined)
  t.match(refusal, { data: { code: 'UNAUTHENTICATED', retryable: false } }, 'refused on a socket')
  t.notOk(socket.active)
  const answer = await service.call('GET', '/chats', { headers: { authorization: `Bearer ${token}` } })
  t.match(answer, { status: 401, body: { error: { code: 'UNAUTHENTICATED' } } }, 'refused over REST')
}

async function disconnects(t: Test, service: Service): Promise<void> {
  const phone = await connect(t, service, 'bob', { transports: ['polling'] })
  const laptop = await connect(t, service, 'bob')
  const { socket: other } = await connect(t, service, 'alice')
  const gone = [staysAway(t, phone.socket), staysAway(t, laptop.socket)]
  const answer = await service.call('POST', '/users/bob/disconnect', { as })
  t.same(answer, { status: 200, body: { disconnected: 2 } })
  await Promise.all(gone)
  t.ok(other.connected, 'others stay')

  const back = next(laptop.socket, 'session')
  laptop.socket.connect()
  t.match(await back, { user: { userId: 'bob' } }, 'the token is still good')
  t.same((await service.call('POST', '/users/nobody/disconnect', { as })).body, { disconnected: 0 })
}

async function revokesTokens(t: Test, service: Service): Promise<void> {
  const { socket } = await connect(t, service, 'carol')
  const old = service.token('carol')
  const gone = staysAway(t, socket)
  t.match(await service.call('POST', '/users/carol/revoke-tokens', { as }), { status: 200, body: { disconnected: 1 } })
  await gone
  await isRefused(t, service, old)
  const auth = { token: service.token('carol', { iat: inSeconds(2) }) }
  t.ok((await connect(t, service, 'carol', { auth })).session, 'a newer token is good')
}

async function cutsArrivals(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const { getChatsOf } = log
  let arrived = false
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  log.getChatsOf = async (userIds) => {
    arrived = true
    await held
    return getChatsOf(userIds)
  }
  const socket = client(t, service, 'dave')
  socket.connect()
  await until('dave is on the way', () => arrived)
  await service.call('POST', '/users/dave/revoke-tokens', { as })
  log.getChatsOf = getChatsOf
  letGo()
  // The token was read before it was revoked, and the socket let in after the user's sockets were cut.
  await until('dave is turned away for good', () => !socket.active)
}

/** A group that bob owns and a direct chat, with a message of his in each, and alice listening. */
async function befriend(t: Test, service: Service, bob: string) {
  const { call } = service
  await call('PUT', `/users/${bob}`, { as, body: { name: bob.toUpperCase(), avatarUrl: 'https://example.org/b.png' } })
  const group = await call('POST', '/chats', { as: bob, body: { type: 'group', memberIds: ['carol', 'alice'] } })
  const pair = await call('POST', '/chats', { as: bob, body: { type: 'direct', memberIds: ['alice'] } })
  const chatIds: string[] = [group.body.chat.chatId, pair.body.chat.chatId]
  for (const chatId of chatIds) {
    await call('POST', `/chats/${chatId}/messages`, { as: bob, body: { content: 'mine' } })
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'hers' } })
  }
  const { socket } = await connect(t, service, 'alice')
  return { chatIds, socket, group: chatIds[0] as string, pair: chatIds[1] as string }
}

async function deletesUsers(t: Test, service: Service): Promise<void> {
  const { call } = service
  const { chatIds, socket, group, pair } = await befriend(t, service, 'frank')
  const frank = await connect(t, service, 'frank')
  const old = service.token('frank')
  const heard = collect(socket, 'member_changed')
  const overheard = collect(frank.socket, 'member_changed')
  const gone = staysAway(t, frank.socket)

  t.same(await call('DELETE', '/users/frank', { as }), { status: 200, body: {} })
  await gone
  await until('alice heard all', () => heard.length === 3)
  const blank = { userId: 'frank', name: '', avatarUrl: null }
  const told = (chatId: string) =>
    heard
      .filter((change) => change.chatId === chatId)
      .map(({ user, role, removed, revision }) => ({ user, role, removed, revision }))
  const alice = { userId: 'alice', name: 'ALICE', avatarUrl: null }
  t.same(told(group), [
    { user: blank, role: 'owner', removed: true, revision: 4 },
    { user: alice, role: 'owner', removed: false, revision: 5 },
  ])
  t.same(told(pair), [{ user: blank, role: 'member', removed: true, revision: 4 }], 'direct chats end, too')
  t.same(overheard, [], 'who is gone hears no more')

  await isRefused(t, service, old)
  await isRefused(t, service, service.token('frank', { iat: inSeconds(30) }))
  t.match(await call('GET', '/chats', { as, onBehalfOf: 'frank' }), { status: 404 })
  t.match(await call('DELETE', '/users/frank', { as }), { status: 200 }, 'twice is once')
  for (const chatId of chatIds) {
    const { chat } = (await call('GET', `/chats/${chatId}`, { as: 'alice' })).body
    t.match(chat, { memberCount: chatId === group ? 2 : 1, myRole: chatId === group ? 'owner' : 'member' })
    const { messages } = (await call('GET', `/chats/${chatId}/messages`, { as: 'alice' })).body
    t.match(messages, [{ content: 'mine' }, { content: 'hers' }], 'messages stay')
    t.same(messages[0].sender, blank, 'under the opaque id')
  }
  const added = await call('POST', `/chats/${group}/members`, { as: 'alice', body: { userIds: ['frank'] } })
  t.match(added, { status: 200, body: { chat: { memberCount: 2 } } }, 'and cannot be put back')
  const again = await call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['frank'] } })
  t.match(again, { status: 200, body: { created: false, chat: { chatId: pair, memberCount: 1 } } })

  t.match(await call('PUT', '/users/frank', { as, body: { name: 'Frank II' } }), { status: 200 })
  await isRefused(t, service, old)
  const auth = { token: service.token('frank', { iat: inSeconds(30) }) }
  const { session } = await connect(t, service, 'frank', { auth })
  t.match(
    session,
    { user: { name: 'Frank II' }, chats: { length: 0 } },
    'only a service brings somebody back, to no chat',
  )
}

async function erasesMessages(t: Test, service: Service): Promise<void> {
  const { call } = service
  const { chatIds, socket } = await befriend(t, service, 'grace')
  const deleted = collect(socket, 'message_deleted')
  t.match(await call('DELETE', '/users/grace?erase=everything', { as }), { status: 400 })
  t.match(
    await call('GET', '/users/grace/erasure', { as }),
    { body: { erased: 0, askedAt: null, doneAt: null } },
    'nobody asked for it',
  )
  const asked = await call('DELETE', '/users/grace?erase=messages', { as })
  t.same(asked, { status: 202, body: { erasing: true } })
  await until('alice heard of both', () => deleted.length === 2)
  for (const chatId of chatIds) {
    const erased = { sender: { userId: 'grace', name: '' }, content: null, metadata: null, deletedAt: String }
    t.match(
      deleted.filter((message) => message.chatId === chatId),
      [erased],
    )
    const { messages } = await must(socket, 'get_messages', { chatId })
    t.match(messages, [erased, { content: 'hers', deletedAt: null }])
  }
  const state = async () => (await call('GET', '/users/grace/erasure', { as })).body
  await until('it is done', async () => (await state()).doneAt !== null)
  t.match(await state(), { erased: 2, askedAt: String, doneAt: String })
}
