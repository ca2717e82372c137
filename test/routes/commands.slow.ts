import t, { type Test } from 'tap'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName, type Input } from '../../contract/commands.js'
import { ERRORS, ErrorAnswer, type ErrorCode } from '../../contract/errors.js'
import { compile } from '../../services/validator.js'
import { API_KEY, ask, build, client, connect, inSeconds, onEachDatabase, type Service, sign } from '../helper.js'

const CHAT = 'room'
const PEOPLE = ['owner', 'admin', 'member', 'former', 'stranger', 'guest']
const isFailure = compile(ErrorAnswer)
/** The owner's message, and the deleted one of who has left; their ids are the test's own. */
const OWNERS = '00000000-0000-7000-8000-000000000001'
const DELETED = '00000000-0000-7000-8000-000000000002'

/** What each command is called with: nothing that a second call would change. A command without a row fails. */
const INPUTS: { [C in CommandName]: Input<C> } = {
  send_message: { chatId: CHAT, content: 'hello 👋', clientMessageId: 'k1', metadata: { a: [1, null] } },
  edit_message: { messageId: OWNERS, content: 'owner' },
  get_message: { messageId: OWNERS },
  list_mentions: { limit: 2 },
  delete_message: { messageId: DELETED },
  add_reaction: { messageId: OWNERS, emoji: '👍' },
  remove_reaction: { messageId: OWNERS, emoji: '👎' },
  pin_message: { messageId: OWNERS },
  unpin_message: { messageId: OWNERS },
  list_pins: { chatId: CHAT, limit: 1 },
  report_message: { messageId: OWNERS, reason: 'spam', comment: '👎' },
  create_upload: { chatId: CHAT, name: 'a b.png', mimeType: 'image/png', size: 5, width: 1 },
  mark_as_read: { chatId: CHAT, upToSeq: 1 },
  get_read_marks: { chatId: CHAT },
  search_messages: { query: 'owner' },
  sync: { chats: { [CHAT]: 1 }, limit: 2 },
  get_messages: { chatId: CHAT, afterSeq: 0, limit: 2 },
  list_chats: { limit: 1 },
  get_chat: { chatId: CHAT },
  set_chat_settings: { chatId: CHAT, isPinned: true, mutedUntil: '2100-01-01T00:00:00Z' },
  create_chat: { type: 'direct', memberIds: ['guest'] },
  update_chat: { chatId: CHAT, title: 'Room' },
  list_members: { chatId: CHAT, limit: 2 },
  add_members: { chatId: CHAT, userIds: ['guest'] },
  remove_member: { chatId: CHAT, userId: 'guest' },
  set_member_role: { chatId: CHAT, userId: 'member', role: 'member' },
  leave_chat: { chatId: 'pair' },
  mute_member: { chatId: CHAT, userId: 'member', until: null },
  ban_member: { chatId: CHAT, userId: 'stranger' },
  unban_member: { chatId: CHAT, userId: 'nobody' },
  list_bans: { chatId: CHAT, limit: 1 },
  block_user: { userId: 'nobody' },
  unblock_user: { userId: 'nobody' },
  register_device: { kind: 'fcm', token: 'fcm-token:1' },
  unregister_device: { deviceId: OWNERS },
  get_users: { userIds: ['member'] },
  typing: { chatId: CHAT, isTyping: true },
  set_presence: { status: 'online' },
  watch_presence: { userIds: ['member'] },
  unwatch_presence: { userIds: ['member'] },
  refresh_token: { token: 'nobody’s' },
  logout: {},
}

/** A service with a group of an owner, an admin and a member, which `former` has left, and two messages in it. */
async function buildRoom(t: Test, options: Parameters<typeof build>[1]): Promise<Service> {
  const service = await build(t, { ...options, uploads: 'folder', users: PEOPLE })
  const { app, call } = service
  const memberIds = ['owner', 'admin', 'member', 'former']
  await call('POST', '/chats', { as: 'service', body: { type: 'group', title: 'Room', chatId: CHAT, memberIds } })
  await app.db.run('promote', `UPDATE members SET role = 'admin' WHERE chat_id = $1 AND user_id = 'admin'`, [CHAT])
  for (const as of ['owner', 'former']) await call('POST', `/chats/${CHAT}/messages`, { as, body: { content: as } })
  for (const [seq, id] of [
    [1, OWNERS],
    [2, DELETED],
  ]) {
    await app.db.run(
      'rename_log',
      'UPDATE chat_log l SET message_id = $2 FROM messages m WHERE m.seq = $1 AND l.message_id = m.id',
      [seq, id],
    )
    await app.db.run('rename', 'UPDATE messages SET id = $2 WHERE seq = $1', [seq, id])
  }
  await call('DELETE', `/messages/${DELETED}`, { as: 'former' })
  await call('POST', '/chats', {
    as: 'service',
    body: { type: 'direct', chatId: 'pair', memberIds: ['owner', 'admin'] },
  })
  await call('DELETE', `/chats/${CHAT}/members/former`, { as: 'service' })
  return service
}

/** The REST call that an input becomes: its URL parts, then a query or a body. */
function restOf(name: CommandName, input: Record<string, unknown>) {
  const { rest }: Command = COMMANDS[name]
  if (!rest) throw new Error(`${name} has no URL`)
  const left = rest.single ? { userId: (input.userIds as string[])[0] } : { ...input }
  const path = rest.url.replace(/:(\w+)/g, (_part, field: keyof typeof left) => {
    const value = String(left[field])
    delete left[field]
    return encodeURIComponent(value)
  })
  if (rest.method !== 'GET' && rest.method !== 'DELETE') return { method: rest.method, url: path, body: left }
  return { method: rest.method, url: `${path}?${new URLSearchParams(left as Record<string, string>)}` }
}

function sameFailure(
  t: Test,
  answer: { status: number; body: unknown },
  code: ErrorCode,
  what: string,
  status?: number,
) {
  t.ok(isFailure(answer.body), `${what}: the envelope of a failure`)
  t.match(answer, { status: status ?? ERRORS[code].status, body: { error: { code } } }, `${what}: ${code}`)
}

onEachDatabase('commands over REST', async (t, database) => {
  const service = await buildRoom(t, database)
  await t.test('each answers what it answers on a socket', (t) => answerAlike(t, service))
  await t.test('who may do what', (t) => knowTheirCallers(t, service))
  await t.test('what does not fit, with path and reason', (t) => checkInputs(t, service))
  await t.test('what is too large or of no known kind', (t) => checkBodies(t, service))
  await t.test('what is not there, whatever the reason, alike', (t) => hideAlike(t, service))
  await t.test('who has no good credentials', (t) => checkCredentials(t, service))
})

async function answerAlike(t: Test, service: Service): Promise<void> {
  const { socket } = await connect(t, service, 'owner')

  for (const name of COMMAND_NAMES) {
    const { rest, output, made }: Command = COMMANDS[name]
    if (!rest || EXCEPTIONS[name]) continue
    await t.test(name, async (t) => {
      const fits = compile(output)
      const { method, url, ...rest_ } = restOf(name, INPUTS[name])
      const first = await service.call(method, url, { as: 'owner', ...rest_ })
      t.equal(first.status, made ? 201 : 200)
      t.ok(fits(first.body), 'the body fits the schema', { body: first.body, errors: fits.errors })

      const acked = await ask(socket, name, INPUTS[name])
      const again = await service.call(method, url, { as: 'owner', ...rest_ })
      t.same(acked, { ok: true, data: again.body }, 'the body is the data of the ack, and no key more')
      t.equal(again.status, 200)
      if (!made) t.same(again.body, first.body)
    })
  }
}

type Actor = 'owner' | 'admin' | 'member' | 'former' | 'stranger'
type Outcome = 'ok' | ErrorCode
const ACTORS: Actor[] = ['owner', 'admin', 'member', 'former', 'stranger']
const everybody = { owner: 'ok', admin: 'ok', member: 'ok', former: 'ok', stranger: 'ok' } as const
const members = { ...everybody, former: 'NOT_FOUND', stranger: 'NOT_FOUND' } as const

/** Who may do what, by the `who` of the table of commands. */
const OUTCOMES: Record<Command['who'], Record<Actor, Outcome>> = {
  self: everybody,
  creator: everybody,
  member: members,
  admin: { ...members, member: 'FORBIDDEN' },
  admin_or_two: { ...members, member: 'FORBIDDEN' },
  owner: { ...members, admin: 'FORBIDDEN', member: 'FORBIDDEN' },
  sender: { ...members, admin: 'FORBIDDEN', member: 'FORBIDDEN' },
  // The message is not the member's.
  sender_or_admin: { ...members, member: 'FORBIDDEN' },
}

/** Where the input makes another answer than who calls. */
const EXCEPTIONS: { [C in CommandName]?: Record<Actor, Outcome> } = {
  // A direct chat of owner and admin, which nobody leaves.
  leave_chat: { owner: 'CONFLICT', admin: 'CONFLICT', member: 'NOT_FOUND', former: 'NOT_FOUND', stranger: 'NOT_FOUND' },
  // Each makes another.
  create_upload: members,
  // No token at all.
  refresh_token: {
    owner: 'UNAUTHENTICATED',
    admin: 'UNAUTHENTICATED',
    member: 'UNAUTHENTICATED',
    former: 'UNAUTHENTICATED',
    stranger: 'UNAUTHENTICATED',
  },
}

async function knowTheirCallers(t: Test, service: Service): Promise<void> {
  await t.test('a socket is for users alone', async (t) => {
    const scope = { scope: 'chat service' }
    for (const auth of [
      {},
      { token: sign({ ...scope, exp: inSeconds(60) }) },
      { token: service.token('owner', scope) },
    ]) {
      const socket = client(t, service, 'owner', { auth })
      const refused = new Promise((resolve) => socket.once('connect_error', resolve))
      socket.connect()
      t.match(await refused, { data: { code: 'UNAUTHENTICATED', retryable: false } })
      t.notOk(socket.active, 'and a stock client stays away')
    }
  })

  for (const name of COMMAND_NAMES) {
    const command: Command = COMMANDS[name]
    const outcomes = EXCEPTIONS[name] ?? OUTCOMES[command.who]
    const input = INPUTS[name]
    await t.test(name, async (t) => {
      if (!outcomes || !input) return void t.fail(`${name} needs a row here`)

      for (const actor of ACTORS) {
        const { socket } = await connect(t, service, actor)
        const answer = await ask(socket, name, input)
        t.equal(answer.ok ? 'ok' : answer.error.code, outcomes[actor], `${actor} on a socket`)
        socket.disconnect()
      }

      if (!command.rest) return
      const { method, url, ...rest } = restOf(name, input)
      const expected: [string, Outcome, object][] = [
        ...ACTORS.map((actor): [string, Outcome, object] => [actor, outcomes[actor], { as: actor }]),
        ['anonymous', 'UNAUTHENTICATED', {}],
        ['a service', command.service ? 'ok' : 'FORBIDDEN', { as: 'service' }],
        ...ACTORS.map((actor): [string, Outcome, object] => [
          `a service for ${actor}`,
          outcomes[actor],
          { as: 'service', onBehalfOf: actor },
        ]),
      ]
      for (const [who, outcome, credentials] of expected) {
        const answer = await service.call(method, url, { ...credentials, ...rest })
        if (outcome === 'ok') t.ok(answer.status === 200 || answer.status === 201, `${who}: ok`, answer)
        else sameFailure(t, answer, outcome, who)
      }
    })
  }
}

const MESSAGES = `/chats/${CHAT}/messages`
const JSON_TYPE = { 'content-type': 'application/json' }

async function checkInputs(t: Test, { call }: Service): Promise<void> {
  const send = (body: unknown, headers = {}) => call('POST', MESSAGES, { as: 'owner', body, headers })
  const get = (url: string) => call('GET', url, { as: 'owner' })
  const refusals: [string, Promise<{ status: number; body: unknown }>, { path: string; message: string | RegExp }][] = [
    ['an unknown field', send({ content: 'x', extra: 1 }), { path: '/extra', message: 'is not a known field' }],
    ['a name that all objects have', send({ content: 'x', toString: 1 }), { path: '/toString', message: /known/ }],
    ['a missing field', send({}), { path: '/content', message: 'is missing' }],
    ['another type', send({ content: 5 }), { path: '/content', message: 'must be string' }],
    ['white space', send({ content: ' \n' }), { path: '/content', message: /white space/ }],
    ['a body coerced', send({ content: 'x', clientMessageId: 5 }), { path: '/clientMessageId', message: /string/ }],
    ['8,001 characters', send({ content: '😀'.repeat(8_001) }), { path: '/content', message: /8000 characters/ }],
    [
      'a field of the URL',
      send({ content: 'x', chatId: 'other' }),
      { path: '/chatId', message: 'is in the URL already' },
    ],
    ['an array', send([]), { path: '', message: 'must be object' }],
    ['null', send('null', JSON_TYPE), { path: '/content', message: 'is missing' }],
    ['no JSON', send('{"content":', JSON_TYPE), { path: '', message: /JSON/ }],
    ['no body', send('', JSON_TYPE), { path: '', message: /empty/ }],
    ['text', send('hello', { 'content-type': 'text/plain' }), { path: '', message: 'must be object' }],
    ['__proto__', send('{"content":"x","__proto__":{"a":1}}', JSON_TYPE), { path: '', message: /not valid JSON/ }],
    [
      'constructor',
      send('{"content":"x","constructor":{"prototype":1}}', JSON_TYPE),
      { path: '', message: /not valid JSON/ },
    ],
    ['a limit of 0', get(`${MESSAGES}?limit=0`), { path: '/limit', message: 'must be >= 1' }],
    ['a limit of 201', get(`${MESSAGES}?limit=201`), { path: '/limit', message: 'must be <= 200' }],
    ['half a message', get(`${MESSAGES}?limit=1.5`), { path: '/limit', message: 'must be integer' }],
    ['no number', get(`${MESSAGES}?limit=many`), { path: '/limit', message: 'must be integer' }],
    ['nothing', get(`${MESSAGES}?limit=`), { path: '/limit', message: 'must be integer' }],
    ['a limit twice', get(`${MESSAGES}?limit=1&limit=2`), { path: '/limit', message: 'must be integer' }],
    ['an unknown query', get(`${MESSAGES}?extra=1`), { path: '/extra', message: 'is not a known field' }],
    ['a field of the URL in the query', get(`${MESSAGES}?chatId=other`), { path: '/chatId', message: /known/ }],
    ['two positions', get(`${MESSAGES}?beforeSeq=1&afterSeq=1`), { path: '', message: /exclude/ }],
    ['a control character', get('/chats/a%00b'), { path: '/chatId', message: /control characters/ }],
    ['a foreign cursor', get('/chats?cursor=bm9uZQ'), { path: '/cursor', message: /no cursor/ }],
  ]
  for (const [what, refusal, fault] of refusals) {
    const answer = await refusal
    sameFailure(t, answer, 'VALIDATION_FAILED', what)
    t.match(answer.body, { error: { retryable: false, details: [fault] } }, `${what}: path and reason`)
  }
  t.match(await get(`${MESSAGES}?limit=1`), { status: 200, body: { messages: { length: 1 }, hasBefore: true } })
  t.match(await get(`${MESSAGES}?limit=200`), { status: 200, body: { messages: [{ seq: 1 }, { seq: 2 }] } })
}

async function checkBodies(t: Test, { call }: Service): Promise<void> {
  const send = (body: unknown, headers = {}) => call('POST', MESSAGES, { as: 'owner', body, headers })
  const body = (bytes: number) => JSON.stringify({ content: 'x'.repeat(bytes - '{"content":""}'.length) })
  sameFailure(t, await send(body(256 * 1_024), JSON_TYPE), 'VALIDATION_FAILED', '256 KiB are read')
  sameFailure(t, await send(body(256 * 1_024 + 1), JSON_TYPE), 'PAYLOAD_TOO_LARGE', 'a byte more is not')
  const bulk = JSON.stringify({ userIds: ['x'.repeat(256 * 1_024)] })
  const tooLarge = await call('POST', '/users/status/bulk', { as: 'owner', body: bulk, headers: JSON_TYPE })
  sameFailure(t, tooLarge, 'PAYLOAD_TOO_LARGE', 'on every route')
  const xml = await send('<content/>', { 'content-type': 'application/xml' })
  sameFailure(t, xml, 'VALIDATION_FAILED', 'XML', 415)
}

async function hideAlike(t: Test, service: Service): Promise<void> {
  for (const url of ['/nothing', '/chats/a/b/c', '/users']) {
    sameFailure(t, await service.call('GET', url, { as: 'owner' }), 'NOT_FOUND', url)
  }
  sameFailure(
    t,
    await service.call('PUT', '/chats', { as: 'owner', body: {} }),
    'NOT_FOUND',
    'a method that a URL lacks',
  )
  sameFailure(t, await service.call('GET', '/chats/%zz', { as: 'owner' }), 'VALIDATION_FAILED', 'a malformed URL')
  for (const name of COMMAND_NAMES) {
    const input: Record<string, unknown> = INPUTS[name]
    if (!COMMANDS[name].rest || !('chatId' in input)) continue
    const answers = []
    for (const [as, chatId] of [
      ['stranger', CHAT],
      ['former', CHAT],
      ['owner', 'no such chat'],
    ]) {
      const { method, url, ...rest } = restOf(name, { ...input, chatId })
      const response = await service.host.inject({
        method,
        url,
        ...(rest.body && { payload: rest.body }),
        headers: { authorization: `Bearer ${service.token(as as string)}` },
      })
      answers.push({ status: response.statusCode, body: response.body })
    }
    t.match(answers[0], { status: 404, body: /"NOT_FOUND"/ }, name)
    t.same(answers, [answers[0], answers[0], answers[0]], `${name}: the same bytes`)
  }
}

async function checkCredentials(t: Test, service: Service): Promise<void> {
  const refusals: [string, Record<string, string>][] = [
    ['a token of another secret', { authorization: `Bearer ${sign({ sub: 'owner', exp: inSeconds(60) }, API_KEY)}` }],
    ['another scheme', { authorization: `Basic ${service.token('owner')}` }],
    ['half a header', { authorization: 'Bearer' }],
    ['a wrong key', { 'x-api-key': API_KEY.replace('Z', 'z') }],
    ['an empty key', { 'x-api-key': '' }],
    ['half a key', { 'x-api-key': API_KEY.slice(0, -1) }],
  ]
  for (const [what, headers] of refusals) {
    sameFailure(t, await service.call('GET', '/chats', { headers }), 'UNAUTHENTICATED', what)
  }
  const old = { authorization: `Bearer ${service.token('owner', { exp: inSeconds(-1) })}` }
  sameFailure(t, await service.call('GET', '/chats', { headers: old }), 'TOKEN_EXPIRED', 'a token that has ended')
}

t.test('where the main service alone makes chats', async (t) => {
  const { call } = await build(t, { chatCreation: 'service' })
  const group = { type: 'group', memberIds: ['bob'] }
  sameFailure(t, await call('POST', '/chats', { as: 'alice', body: group }), 'FORBIDDEN', 'a user')
  const made = await call('POST', '/chats', { as: 'service', body: { ...group, chatId: 'orders-7' } })
  t.match(made, { status: 201, body: { created: true, chat: { chatId: 'orders-7', myRole: 'owner' } } })
  const onBehalf = await call('POST', '/chats', { as: 'service', onBehalfOf: 'alice', body: group })
  t.match(onBehalf, { status: 201, body: { chat: { myRole: 'owner', memberCount: 2 } } }, 'a service for a user')
  const unknown = await call('POST', '/chats', { as: 'service', body: { ...group, memberIds: ['bob', 'nobody'] } })
  sameFailure(t, unknown, 'VALIDATION_FAILED', 'an unknown member, named to a service')
  t.same(unknown.body.error.details, [{ path: '/memberIds/1', message: 'is no user' }])
})
