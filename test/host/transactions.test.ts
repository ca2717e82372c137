import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { ChatOptions } from '../../app.js'
import { Content, Id, Metadata } from '../../contract/fields.js'
import { compile } from '../../services/validator.js'
import { build, collect, connect, must, client as newClient, next, type Service, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'

/** What chat_send_message answers. */
interface Sent {
  id: string
  seq: number
  revision: number
  duplicate: boolean
}

const SEND = 'SELECT * FROM chat.chat_send_message($1, $2, $3, $4, $5)'

/** A connection of a host, with orders of its own, that may call the function and nothing else of ours. */
async function openHost(t: Test, databaseUrl: string) {
  const role = `shop_${randomUUID().replaceAll('-', '')}`
  const owner = new pg.Client({ connectionString: databaseUrl })
  await owner.connect()
  await owner.query(`
    CREATE ROLE ${role} LOGIN;
    CREATE TABLE IF NOT EXISTS public.orders (message_id uuid PRIMARY KEY, what text);
    GRANT ALL ON public.orders TO ${role};
    GRANT TEMPORARY ON DATABASE ${owner.escapeIdentifier(new URL(databaseUrl).pathname.slice(1))} TO ${role};
    GRANT USAGE ON SCHEMA chat TO ${role};
    GRANT EXECUTE ON FUNCTION chat.chat_send_message TO ${role};`)
  t.teardown(async () => {
    await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    await owner.end()
  })
  const url = new URL(databaseUrl)
  url.username = role
  const host = new pg.Client({ connectionString: url.href })
  await host.connect()
  t.teardown(() => host.end())

  return {
    owner,
    host,
    async send(chatId: string, senderId: string, content: string | null, key?: string | null, metadata?: unknown) {
      const json = metadata === undefined ? null : JSON.stringify(metadata)
      const { rows } = await host.query<Sent>(SEND, [chatId, senderId, content, key ?? null, json])
      return rows[0] as Sent
    },
    /** Why a send fails: its SQLSTATE, and the error of the catalogue in its detail. */
    async refusal(...args: Parameters<typeof this.send>) {
      const error: pg.DatabaseError = await this.send(...args).then(
        () => new Error('was stored'),
        (error) => error,
      )
      return { state: error.code, ...(error.detail && JSON.parse(error.detail)) }
    },
  }
}

type Host = Awaited<ReturnType<typeof openHost>>

async function open(t: Test, options: ChatOptions = {}) {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl, databaseSchema: 'chat', ...options })
  return { databaseUrl, service, shop: await openHost(t, databaseUrl) }
}

async function makeGroup(service: Service, owner = 'alice', memberIds = ['bob']): Promise<string> {
  const body = { type: 'group', title: 'orders', memberIds }
  return (await service.call('POST', '/chats', { as: owner, body })).body.chat.chatId
}

t.test('message and row are committed together, or not at all', needsPostgres, async (t) => {
  const { service, shop } = await open(t)
  const chatId = await makeGroup(service)
  const { socket: bob } = await connect(t, service, 'bob')
  const heard = collect(bob, 'new_message')

  await shop.host.query('BEGIN')
  const lost = await shop.send(chatId, 'alice', 'an order that fails')
  await shop.host.query('INSERT INTO orders VALUES ($1, $2)', [lost.id, 'lost'])
  await shop.host.query('ROLLBACK')

  await shop.host.query('BEGIN')
  await shop.host.query('SAVEPOINT attempt')
  await shop.send(chatId, 'alice', 'an attempt')
  await shop.host.query('ROLLBACK TO attempt')
  const sent = await shop.send(chatId, 'alice', 'Order 7', 'order-7', { orderId: 7 })
  await shop.host.query('INSERT INTO orders VALUES ($1, $2)', [sent.id, 'seven'])
  t.same(sent, { id: sent.id, seq: 1, revision: lost.revision, duplicate: false }, 'what was rolled back left no hole')
  t.match(sent.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a UUIDv7')
  const before = await service.call('GET', `/chats/${chatId}/messages`, { as: 'bob' })
  t.same(before.body.messages, [], 'nobody sees it before the commit')
  t.same(heard, [], 'nor is it told')
  await shop.host.query('COMMIT')

  await until('it is told', () => heard.length === 1)
  t.match(heard[0], {
    ...{ id: sent.id, seq: 1, revision: sent.revision, clientMessageId: 'order-7', content: 'Order 7' },
    sender: { userId: 'alice', name: 'ALICE' },
    ...{ metadata: { orderId: 7 }, mentions: { userIds: [], everyone: false }, replyToId: null, attachments: [] },
  })
  t.same((await shop.host.query('SELECT * FROM orders')).rows, [{ message_id: sent.id, what: 'seven' }])
  const chatOf = async (as: string) => (await service.call('GET', `/chats/${chatId}`, { as })).body.chat
  t.match(await chatOf('bob'), { unreadCount: 1, lastReadSeq: 0, lastSeq: 1, lastMessage: { id: sent.id } })
  t.match(await chatOf('alice'), { unreadCount: 0, lastReadSeq: 1 }, `the sender's own mark moves`)
  const after = await service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'thanks' } })
  t.match(after.body.message, { seq: 2, revision: sent.revision + 1 })
})

t.test('a key stores once, whichever door it came by', needsPostgres, async (t) => {
  const { service, shop } = await open(t)
  const chatId = await makeGroup(service)
  const first = await shop.send(chatId, 'alice', 'x', 'k', { a: 1, b: [true] })
  t.same(await shop.send(chatId, 'alice', 'x', 'k', { b: [true], a: 1 }), { ...first, duplicate: true })
  const body = { content: 'x', clientMessageId: 'k', metadata: { a: 1, b: [true] } }
  const again = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body })
  t.match(again, { status: 200, body: { duplicate: true, message: { id: first.id } } })
  t.match(await shop.refusal(chatId, 'alice', 'y', 'k'), { state: 'MS409', code: 'IDEMPOTENCY_CONFLICT' })
  t.match(await shop.send(chatId, 'bob', 'y', 'k'), { seq: 2, duplicate: false }, 'another’s key is another')
  const rest = await service.call('POST', `/chats/${chatId}/messages`, {
    as: 'alice',
    body: { content: 'z', clientMessageId: 'z' },
  })
  const { id, seq, revision } = rest.body.message
  t.same(await shop.send(chatId, 'alice', 'z', 'z'), { id, seq, revision, duplicate: true })
})

t.test('what a send is refused for', needsPostgres, async (t) => {
  const { service, shop } = await open(t, { maxMessageChars: 50 })
  const chatId = await makeGroup(service, 'alice', ['bob', 'carol'])
  const put = (url: string, body?: object, as = 'alice') => service.call('PUT', url, { as, body })
  const patch = (body: object) => service.call('PATCH', `/chats/${chatId}`, { as: 'alice', body })

  const stranger = await shop.refusal(chatId, 'dave', 'x')
  t.match(stranger, { state: 'MS404', code: 'NOT_FOUND', retryable: false })
  t.same(await shop.refusal('nowhere', 'alice', 'x'), stranger, 'no chat and no member are told alike')
  t.same(await shop.refusal(chatId, 'nobody', 'x'), stranger)

  const mutedUntil = new Date(Date.now() + 600_000).toISOString()
  await put(`/chats/${chatId}/members/bob/mute`, { until: mutedUntil })
  const muted = { code: 'FORBIDDEN', details: { reason: 'muted', until: mutedUntil } }
  t.match(await shop.refusal(chatId, 'bob', 'x'), { state: 'MS403', ...muted })
  const overRest = await service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'x' } })
  const { state: _state, ...told } = await shop.refusal(chatId, 'bob', 'x')
  t.same(told, overRest.body.error, 'the detail is the error that REST answers')

  await patch({ isFrozen: true })
  const frozen = { state: 'MS403', code: 'FORBIDDEN', details: { reason: 'frozen' } }
  t.match(await shop.refusal(chatId, 'carol', 'x'), frozen)
  t.match(await shop.send(chatId, 'alice', 'an owner'), { duplicate: false })
  await patch({ isFrozen: false, slowModeSeconds: 600 })
  t.match(await shop.send(chatId, 'carol', 'one'), { duplicate: false })
  const slow = await shop.refusal(chatId, 'carol', 'two')
  t.match(slow, { state: 'MS429', code: 'RATE_LIMITED', retryable: true, details: { reason: 'slow_mode' } })
  t.ok(slow.retryAfterMs > 0 && slow.retryAfterMs <= 600_000, `${slow.retryAfterMs} ms`)
  await put(`/chats/${chatId}/bans/carol`)
  t.match(await shop.refusal(chatId, 'carol', 'x'), stranger, 'who is banned is no member')

  const direct = await service.call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })
  await put('/users/me/blocks/alice', undefined, 'bob')
  const blocked = { state: 'MS403', code: 'FORBIDDEN', details: { reason: 'blocked' } }
  t.match(await shop.refusal(direct.body.chat.chatId, 'alice', 'x'), blocked)

  const wrong = (path: string) => ({ state: 'MS400', code: 'VALIDATION_FAILED', details: [{ path }] })
  t.match(await shop.refusal(chatId, 'alice', '😀'.repeat(51)), wrong('/content'), 'more than the settings allow')
  t.match(await shop.send(chatId, 'alice', '😀'.repeat(50)), { duplicate: false }, 'code points count')
  t.match(await shop.refusal(chatId, 'alice', null), wrong('/content'))
  t.match(await shop.refusal(chatId, 'alice', null, null, {}), wrong('/content'))
  t.match(await shop.send(chatId, 'alice', null, null, { a: 1 }), { duplicate: false }, 'metadata alone is enough')
})

t.test('what fits is what fits the contract', needsPostgres, async (t) => {
  const { service, shop } = await open(t)
  const chatId = await makeGroup(service)
  const takes = async (...args: Parameters<Host['send']>) => {
    await shop.host.query('BEGIN')
    const refusal = await shop.refusal(...args)
    await shop.host.query('ROLLBACK')
    if (refusal.state !== undefined && refusal.state !== 'MS400') throw new Error(JSON.stringify(refusal))
    return refusal.state === undefined
  }
  const [isContent, isId, isMetadata] = [compile(Content), compile(Id), compile(Metadata)]
  const spaces = fc.string({
    unit: fc.constantFrom('\t', '\v', '\f', ' ', '\u00a0', '\u2003', '\u3000', '\ufeff', '\u200b', 'x'),
  })
  const words = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '').replace(/\p{Cs}/gu, ''))
  const key = fc.string({
    unit: fc.constantFrom('a', '\u0001', '\u001f', '\u007f', '\u009f', '\u00a0', '😀'),
    maxLength: 3,
  })
  const runs = { numRuns: 100 }
  for (const content of [fc.oneof(spaces, words)]) {
    await fc.assert(
      fc.asyncProperty(content, async (text) => (await takes(chatId, 'alice', text)) === isContent(text)),
      runs,
    )
  }
  const keys = fc.oneof(key, fc.constantFrom('k'.repeat(128), 'k'.repeat(129), '😀'.repeat(128)))
  await fc.assert(
    fc.asyncProperty(keys, async (text) => (await takes(chatId, 'alice', 'x', text)) === isId(text)),
    runs,
  )
  const nested = (depth: number) => Array.from({ length: depth }).reduce<object>((inner) => ({ inner }), { end: 1 })
  const metadata = fc.oneof(
    fc.dictionary(fc.constantFrom('a', 'constructor', 'b'), fc.jsonValue({ maxDepth: 3 })),
    fc.nat(9).map(nested),
    fc.nat(9).map((depth) => ({ list: Array.from({ length: depth }).reduce<unknown>((inner) => [inner], []) })),
    fc.nat(12).map((more) => ({ text: 'x'.repeat(4_096 - 6 + more - 11) })),
    fc.constantFrom([1], 'text', 7, { n: Number.MAX_VALUE }),
  )
  const fits = async (value: unknown) => (await takes(chatId, 'alice', 'x', null, value)) === isMetadata(value)
  await fc.assert(fc.asyncProperty(metadata, fits), runs)
  t.notOk(await shop.host.query(SEND, [chatId, 'alice', 'x', null, '{"n": 1e309}']).catch(() => null), 'no JSON number')
})

t.test('a host needs a right on the function, and has no other', needsPostgres, async (t) => {
  const { databaseUrl, service, shop } = await open(t)
  const chatId = await makeGroup(service)
  for (const table of ['messages', 'chats', 'members', 'chat_log', 'log_limits']) {
    await t.rejects(shop.host.query(`SELECT * FROM chat.${table}`), { code: '42501' }, table)
  }
  await shop.host.query('SET search_path = chat')
  const inner = `SELECT * FROM chat.log_append(ARRAY['${chatId}'], '[]')`
  await t.rejects(shop.host.query(inner), { code: '42501' }, 'what it calls is not for others')

  // Tables and operators of the host that have the names of ours are not taken for them.
  await shop.host.query(`
    CREATE TEMPORARY TABLE members AS SELECT '${chatId}'::text AS chat_id, 'dave'::text AS user_id, 'owner'::text AS role,
      1 AS last_read_seq, 1 AS visible_from_seq;
    CREATE TEMPORARY TABLE log_limits AS SELECT 1 AS id, 0 AS max_message_chars;
    SET search_path = pg_temp, public;
    SET timezone = 'Asia/Kolkata';`)
  t.match(await shop.refusal(chatId, 'dave', 'x'), { state: 'MS404' })
  t.match(await shop.send(chatId, 'alice', 'x'), { seq: 1 })

  const stranger = `stranger_${randomUUID().replaceAll('-', '')}`
  await shop.owner.query(`CREATE ROLE ${stranger} LOGIN; GRANT USAGE ON SCHEMA chat TO ${stranger}`)
  t.teardown(() => shop.owner.query(`DROP OWNED BY ${stranger}; DROP ROLE ${stranger}`))
  const url = new URL(databaseUrl)
  url.username = stranger
  const other = new pg.Client({ connectionString: url.href })
  await other.connect()
  t.teardown(() => other.end())
  await t.rejects(
    other.query(SEND, [chatId, 'alice', 'x', null, null]),
    { code: '42501' },
    'nobody has the right by default',
  )
})

t.test(
  'above READ COMMITTED a send fails where others wrote meanwhile, and is true otherwise',
  needsPostgres,
  async (t) => {
    const { service, shop } = await open(t)
    const chatId = await makeGroup(service)
    const remove = () => service.call('DELETE', `/chats/${chatId}/members/bob`, { as: 'alice' })
    for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
      await shop.host.query(`BEGIN ISOLATION LEVEL ${level}`)
      t.match(await shop.send(chatId, 'bob', 'x'), { duplicate: false })
      await shop.host.query('COMMIT')
    }
    await shop.host.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM orders')
    await remove()
    t.match(await shop.refusal(chatId, 'bob', 'x'), { state: '40001' }, 'the snapshot still has bob as a member')
    await shop.host.query('ROLLBACK')
  },
)

t.test('who waits for the lock of a chat looks behind it', needsPostgres, async (t) => {
  const { databaseUrl, service, shop } = await open(t)
  const chatId = await makeGroup(service)
  const second = await openHost(t, databaseUrl)
  await shop.host.query('BEGIN')
  const first = await shop.send(chatId, 'alice', 'x', 'k')
  const pending = second.send(chatId, 'alice', 'x', 'k')
  const sending = service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'y' } })
  await lockWaits(shop, 2)
  await shop.host.query('COMMIT')
  t.same(await pending, { ...first, duplicate: true })
  t.match((await sending).body.message, { seq: 2 })
})

/** Waits until so many statements wait for a lock. */
const lockWaits = (shop: Host, count: number) =>
  until(`${count} wait for a lock`, async () => {
    const { rows } = await shop.owner.query(
      `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    )
    return rows[0].n === count
  })

t.test('hosts that hold two chats hold up nobody who writes elsewhere', needsPostgres, async (t) => {
  const { databaseUrl, service, shop } = await open(t)
  const second = await openHost(t, databaseUrl)
  const [one, two, free] = [await makeGroup(service), await makeGroup(service), await makeGroup(service)]
  const write = (chatId: string) =>
    service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'x' } })
  for (const [{ host, send }, chatId] of [
    [shop, one],
    [second, two],
  ] as const) {
    await host.query('BEGIN')
    await send(chatId, 'alice', 'holds')
  }
  // Each is a batch of its own, and there are as many as a node writes at once.
  const held = [write(one)]
  await lockWaits(shop, 1)
  held.push(write(two))
  await lockWaits(shop, 2)
  t.match(await write(free), { status: 201, body: { message: { seq: 1 } } })
  for (const { host } of [shop, second]) await host.query('COMMIT')
  for (const answer of await Promise.all(held)) t.match(answer, { status: 201, body: { message: { seq: 2 } } })
})

for (const bus of ['memory', 'postgres'] as const) {
  t.test(`every node tells it, also after its connection was lost, with BUS=${bus}`, needsPostgres, async (t) => {
    const { databaseUrl, service, shop } = await open(t, { bus })
    const chatId = await makeGroup(service)
    const nodes = [service]
    if (bus !== 'memory') nodes.push(await build(t, { databaseUrl, databaseSchema: 'chat', bus }))
    const sockets = []
    for (const node of nodes) sockets.push((await connect(t, node, 'bob')).socket)
    const heard = sockets.map((socket) => collect(socket, 'new_message'))
    const hearAll = (count: number) => until(`${count} are told`, () => heard.every(({ length }) => length === count))

    await shop.send(chatId, 'alice', '1')
    await hearAll(1)
    // Without the net the notification is all there is, and the comparison after it was cut off.
    await shop.owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% bus' AND datname = current_database()`,
    )
    await shop.send(chatId, 'alice', '2')
    await hearAll(2)
    await shop.owner.query(`SELECT pg_notify($1, 'no news of ours')`, [await channelOf(shop)])
    await shop.send(chatId, 'alice', '3')
    await hearAll(3)
    for (const told of heard) {
      t.same(
        told.map(({ seq }) => seq),
        [1, 2, 3],
      )
    }
  })
}

/** The channel of the schema, as whoever listens names it. */
async function channelOf({ owner }: Host): Promise<string> {
  const { rows } = await owner.query(
    `SELECT 'chat_hosts_' || left(encode(sha256(convert_to('chat', 'UTF8')), 'hex'), 20) AS name`,
  )
  return rows[0].name
}

t.test('a listener that is on its way in misses nothing', needsPostgres, async (t) => {
  const { service, shop } = await open(t)
  const chatId = await makeGroup(service)
  let last = 0
  for (let round = 0; round < 5; round += 1) {
    const socket = newClient(t, service, 'bob')
    const seen: number[] = []
    const session = next(socket, 'session')
    socket.on('new_message', ({ seq }) => void seen.push(seq))
    socket.connect()
    const send = async () => {
      for (let i = 0; i < 4; i += 1) last = (await shop.send(chatId, 'alice', 'x')).seq
    }
    const sends = send()
    const { chats } = await session
    await sends
    const from = chats[0]?.lastSeq ?? 0
    await until('all above the session', () => (seen.at(-1) ?? from) === last)
    t.same(
      seen,
      Array.from({ length: last - from }, (_, i) => from + 1 + i),
      'each once, in order',
    )
    socket.disconnect()
  }
})

t.test('nothing is told of a transaction whose host is killed', needsPostgres, async (t) => {
  const { service, shop } = await open(t)
  const chatId = await makeGroup(service)
  const { socket: bob } = await connect(t, service, 'bob')
  const heard = collect(bob, 'new_message')
  shop.host.on('error', () => {})
  await shop.host.query('BEGIN')
  await shop.send(chatId, 'alice', 'never')
  const { rows } = await shop.host.query('SELECT pg_backend_pid() AS pid')
  const ended = new Promise<void>((resolve) => shop.host.once('end', resolve))
  await shop.owner.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
  await ended
  await must(bob, 'send_message', { chatId, content: 'next' })
  await until('the next is told', () => heard.length > 0)
  t.match(heard, [{ seq: 1, content: 'next' }])
})
