import { io } from 'socket.io-client'
import t, { type Test } from 'tap'
import {
  API_KEY,
  ask,
  type ClientSocket,
  collect,
  connect,
  inSeconds,
  must,
  next,
  SECRET,
  type Service,
  sign,
  until,
} from '../helper.js'
import { buildOlder, needsCommit, OLDER } from '../helpers/commits.js'
import { createNode, type Node } from '../helpers/nodes.js'
import { createDatabase, freePort, needsPostgres } from '../helpers/postgres.js'

// A node of an older version and one of this, side by side on one database, as they are while an operator goes from one to the other.

t.setTimeout(300_000)

const token = (userId: string) => sign({ sub: userId, exp: inSeconds(3_600) })
const serviceOf = ({ url }: Node, isOlder: boolean) => ({ url, token, isOlder }) as Service

/** A node of an older commit and one of ours; neither is started. */
async function open(t: Test, commit: string) {
  const env = {
    DATABASE_URL: await createDatabase(t),
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
  }
  const older = createNode(t, { port: await freePort(), env, server: buildOlder(t, commit) })
  const ours = createNode(t, { port: await freePort(), env })
  return { older, ours }
}

async function post(node: Node, path: string): Promise<number> {
  const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
  return (await fetch(node.url + path, { method: 'POST', headers, body: '{}' })).status
}

const MESSAGES = 40
const everySeq = Array.from({ length: 2 * MESSAGES }, (_, i) => i + 1)

/** Both write at once into a new chat. */
async function write(t: Test, alice: ClientSocket, bob: ClientSocket): Promise<void> {
  const added = next(bob, 'chat_added')
  const { chat } = await must(alice, 'create_chat', { type: 'group', memberIds: ['bob'] })
  await added
  const heard = [collect(alice, 'new_message'), collect(bob, 'new_message')]
  const send = (socket: ClientSocket, i: number) =>
    ask(socket, 'send_message', { chatId: chat.chatId, content: `${i}` })
  const answers = await Promise.all(Array.from({ length: 2 * MESSAGES }, (_, i) => send(i % 2 ? alice : bob, i)))
  t.ok(
    answers.every(({ ok }) => ok),
    'all are acked',
  )
  await until('both have all', () => heard.every(({ length }) => length >= 2 * MESSAGES))
  for (const one of heard)
    t.same(
      one.map(({ seq }) => seq),
      everySeq,
      'each once, in order',
    )
}

/** Who is removed by the first node is told at the second. */
async function remove(t: Test, alice: ClientSocket, bob: ClientSocket): Promise<void> {
  // Who is added and removed at once is told neither.
  const added = next(bob, 'chat_added')
  const { chat } = await must(alice, 'create_chat', { type: 'group', memberIds: ['bob'] })
  await added
  const heard = collect(bob, 'new_message')
  const removed = next(bob, 'chat_removed', ({ chatId }) => chatId === chat.chatId)
  await must(alice, 'remove_member', { chatId: chat.chatId, userId: 'bob' })
  t.match(await removed, { chatId: chat.chatId }, 'who is removed is told')
  await must(alice, 'send_message', { chatId: chat.chatId, content: 'secret' })
  t.match(
    await ask(bob, 'send_message', { chatId: chat.chatId, content: 'still here' }),
    { ok: false },
    'and may do nothing',
  )
  t.same(heard, [], 'and hears no more')
}

t.test('one that has a bus', { ...needsPostgres, ...needsCommit(OLDER.bus) }, async (t) => {
  for (const order of ['the older first', 'ours first']) {
    t.test(`both ways, ${order}`, async (t) => {
      const { older, ours } = await open(t, OLDER.bus)
      const [first, second] = order === 'ours first' ? [ours, older] : [older, ours]
      await first.start()
      await second.start()
      const { socket: alice } = await connect(t, serviceOf(first, first === older), 'alice')
      const { socket: bob } = await connect(t, serviceOf(second, second === older), 'bob')
      await write(t, alice, bob)
      await remove(t, alice, bob)

      const guest = await connect(t, serviceOf(second, second === older), 'guest', { reconnection: false })
      const closed = next(guest.socket, 'closing')
      t.equal(await post(first, '/users/guest/revoke-tokens'), 200, 'revoked')
      t.match(await closed, { code: 'TOKEN_REVOKED' }, 'who is revoked by one is ended by the other')

      const { code } = await first.stop()
      t.equal(code, 0, 'the first ends with 0')
      const { chat } = await must(bob, 'create_chat', { type: 'group', memberIds: ['alice'] })
      await must(bob, 'send_message', { chatId: chat.chatId, content: 'alone' })
      await first.start()
      const back = await connect(t, serviceOf(first, first === older), 'alice', { forceNew: true })
      const heard = next(back.socket, 'new_message')
      await must(bob, 'send_message', { chatId: chat.chatId, content: 'both again' })
      t.match(await heard, { seq: 2, content: 'both again' }, 'the first is back')
      t.equal((await second.stop()).code, 0, 'the second ends with 0')
      t.equal((await first.stop()).code, 0, 'and the first')
    })
  }
})

t.test('one that has no bus', { ...needsPostgres, ...needsCommit(OLDER.noBus) }, async (t) => {
  const { older, ours } = await open(t, OLDER.noBus)
  await older.start()
  await ours.start()
  // A plain client: its session has not all that ours has.
  const alice: ClientSocket = io(older.url, { auth: { token: token('alice') }, transports: ['websocket'] })
  t.teardown(() => alice.disconnect())
  await next(alice, 'session')
  const { socket: bob } = await connect(t, serviceOf(ours, false), 'bob')
  const added = next(bob, 'chat_added')
  const { chat } = await must(alice, 'create_chat', { type: 'group', memberIds: ['bob'] })
  await added
  const heard = collect(bob, 'new_message')
  const startedAt = performance.now()
  for (let i = 0; i < MESSAGES; i += 1) await must(alice, 'send_message', { chatId: chat.chatId, content: `${i}` })
  await until('ours has read all in the database', () => heard.length === MESSAGES)
  t.comment(`all heard ${Math.round(performance.now() - startedAt)} ms after the first was sent`)
  t.same(
    heard.map(({ seq }) => seq),
    everySeq.slice(0, MESSAGES),
    'each once, in order',
  )
  t.equal((await older.stop()).code, 0)
  t.equal((await ours.stop()).code, 0)
})
