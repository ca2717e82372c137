import t, { type Test } from 'tap'
import { COMMAND_NAMES } from '../../contract/commands.js'
import type { Ack } from '../../contract/types.js'
import {
  build,
  type ClientSocket,
  connect,
  embeddedDir,
  inSeconds,
  must,
  next,
  SECRET,
  type Service,
  sign,
  tempDir,
} from '../helper.js'
import { badPayloads, NO_COMMANDS, ODD_FRAMES } from '../helpers/packets.js'
import { createDatabase, postgresAvailable } from '../helpers/postgres.js'
import { startServer } from '../helpers/process.js'
import { openRaw } from '../helpers/raw.js'

// What broke: `send_message` with null, an ack that was not asked for or was no function, or a 20,000-deep array, ended the
// process of a naive server, and with it everybody's connection. A packet answers with an error, or with nothing.

const MEGABYTE = 1024 * 1024
const REFUSED = ['VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'UNAUTHENTICATED']

/** PostgreSQL where there is one, for it starts sooner. */
const database = async (t: Test): Promise<{ databaseUrl?: string }> =>
  postgresAvailable ? { databaseUrl: await createDatabase(t) } : {}
const anyEmit = (socket: ClientSocket) => socket.emit.bind(socket) as (event: string, ...args: unknown[]) => void
const pollution = () => ({}) as { polluted?: unknown }

async function makeChat(t: Test, service: Service): Promise<string> {
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'], title: 'ours' })
  return chat.chatId
}

/** Sends every bad payload to every command, and every odd name and frame. */
async function pour(t: Test, service: Service, chatId: string): Promise<void> {
  await t.test('payloads', async (t) => {
    const raw = await openRaw(t, service.url, service.token('alice'))
    for (const command of COMMAND_NAMES) {
      const wrong: unknown[] = []
      for (const [what, json] of badPayloads(command, chatId)) {
        const answer = await raw.ask(command, json)
        if (answer?.ok !== false || !REFUSED.includes(answer.error.code)) wrong.push({ what, answer })
        // Without an ack, and with one that is a text or an object, nothing is said.
        raw.send(`42["${command}",${json}]`, `42["${command}",${json},"ack"]`, `42["${command}",${json},{}]`)
      }
      t.same(wrong, [], `${command} refuses all`)
      t.match(await raw.ask(command), { ok: false, error: { code: 'VALIDATION_FAILED' } }, `${command} wants a payload`)
    }
    // What broke: an event without data got no ack, for its ack was taken for its name.
    raw.send('42999', '42/,998')
    t.match(await raw.take('43999['), /NOT_FOUND/, 'an event without data is answered')
    t.match(await raw.take('43998['), /NOT_FOUND/, 'in the namespace by its name, too')
    t.same(
      raw.heard.filter((frame) => !/^(0|40|42\["(session|user_status_change)")/.test(frame)),
      [],
      'and says nothing unasked',
    )
  })

  await t.test('events that are no commands', async (t) => {
    const raw = await openRaw(t, service.url, service.token('alice'))
    for (const name of NO_COMMANDS) {
      raw.send(`42[${JSON.stringify(name)}]`, `42[${JSON.stringify(name)},{},"ack"]`)
      const label = JSON.stringify(name.slice(0, 20))
      t.match(await raw.ask(name, '{}'), { ok: false, error: { code: 'NOT_FOUND', retryable: false } }, label)
    }
  })

  await t.test('frames', async (t) => {
    for (const frames of ODD_FRAMES) {
      const raw = await openRaw(t, service.url, service.token('alice'))
      raw.send(...frames)
      const answer = await raw.ask('get_users', '{"userIds":["alice"]}')
      const label = frames.map((frame) => JSON.stringify(frame).slice(0, 60)).join(' ')
      t.ok(answer === null || answer.ok, `${label}: ${answer ? 'served on' : 'closed'}`)
      raw.close()
    }
  })

  await t.test('frames before the namespace is joined', async (t) => {
    for (const frame of ['42["send_message",null]', '41', '4', '45', '431[]', '40/other,', '40[]', '40{"token":{}}']) {
      const raw = await openRaw(t, service.url)
      raw.send(frame)
      const said = await raw.take('44')
      t.ok(
        said === null || /"(Invalid namespace|A valid token is needed\.)"/.test(said),
        `${frame}: ${said ?? 'closed'}`,
      )
      raw.close()
    }
  })

  await t.test('a megabyte', async (t) => {
    for (const payload of ['x'.repeat(MEGABYTE), { chatId, content: 'x'.repeat(MEGABYTE) }, Buffer.alloc(MEGABYTE)]) {
      const { socket } = await connect(t, service, 'alice', { reconnection: false })
      const gone = new Promise((resolve) => socket.once('disconnect', resolve))
      anyEmit(socket)('send_message', payload, () => t.fail('an answer to a megabyte'))
      t.match(await gone, /^transport (close|error)$/, 'closes the connection')
    }
  })
}

t.test('no packet breaks the process or leaves a trace', async (t) => {
  const service = await build(t, await database(t))
  const chatId = await makeChat(t, service)
  const stored = () =>
    service.app.db.run(
      'stored',
      `SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM chats) AS chats,
              (SELECT sum(revision) FROM chats) AS revisions, (SELECT count(*) FROM members) AS members,
              (SELECT sum(last_read_seq) FROM members) AS marks, (SELECT count(*) FROM users) AS users`,
      [],
    )
  const before = await stored()

  await pour(t, service, chatId)

  await t.test('binary data, over stock clients', async (t) => {
    // No command takes any, so a socket that goes on with it is ended.
    for (const command of COMMAND_NAMES) {
      const { socket } = await connect(t, service, 'alice')
      for (const payload of [Buffer.from('x'), { chatId, content: Buffer.from('x') }, [Buffer.alloc(0)]]) {
        const answer = await new Promise<Ack<unknown>>((resolve) => anyEmit(socket)(command, payload, resolve))
        t.match(answer, { ok: false, error: { code: 'VALIDATION_FAILED' } }, command)
      }
      socket.disconnect()
    }
    const { socket } = await connect(t, service, 'alice')
    const metadata = { file: Buffer.from('x') }
    const answer = await new Promise((resolve) =>
      anyEmit(socket)('send_message', { chatId, content: 'hello', metadata }, resolve),
    )
    t.match(answer, { ok: false, error: { details: [{ path: '/metadata', message: 'must not hold binary data' }] } })
  })

  t.equal(pollution().polluted, undefined)
  t.same(await stored(), before, 'nothing is stored')
  await t.test('and the next client is served', async (t) => {
    const { socket } = await connect(t, service, 'bob')
    const heard = next(socket, 'new_message')
    anyEmit(socket)('send_message', { chatId, content: 'without an ack' })
    t.match(await heard, { seq: 1, content: 'without an ack' }, 'a missing ack is fine')
    const again = next(socket, 'new_message')
    anyEmit(socket)('send_message', { chatId, content: 'with a strange one' }, 'ack')
    t.match(await again, { seq: 2 })
  })
})

// What broke: listeners of `onAny` also get packets that come in one go with the socket's end; what they left behind stayed for ever.
t.test('a packet behind the end of its socket is not run', async (t) => {
  const service = await build(t, await database(t))
  const chatId = await makeChat(t, service)
  const { socket } = await connect(t, service, 'bob')
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
  const post = (...packets: string[]) => fetch(`${url}&sid=${sid}`, { method: 'POST', body: packets.join('\u001e') })
  await post(`40${JSON.stringify({ token: service.token('alice') })}`)
  t.match(await (await fetch(`${url}&sid=${sid}`)).text(), /^40/)

  const heard = next(socket, 'new_message')
  await post('41', `42["send_message",{"chatId":"${chatId}","content":"from beyond"}]`)
  await must(socket, 'send_message', { chatId, content: 'from here' })
  t.match(await heard, { seq: 1, content: 'from here' })
})

t.test('metadata is plain JSON within its bounds', async (t) => {
  const service = await build(t, await database(t))
  const chatId = await makeChat(t, service)
  const raw = await openRaw(t, service.url, service.token('alice'))
  const send = (metadata: string) =>
    raw.ask('send_message', `{"chatId":"${chatId}","content":"x","metadata":${metadata}}`)
  const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`

  t.match(await send('{"a":[1,"x",null,true,{"b":-0.5}]}'), { ok: true })
  t.match(await send(nested(8)), { ok: true })
  t.match(await send(JSON.stringify({ a: 'é'.repeat(2_044) })), { ok: true }, '4,096 bytes')
  for (const [metadata, message] of [
    [nested(9), /deeper than 8/],
    [JSON.stringify({ a: 'é'.repeat(2_045) }), /larger than 4096 bytes/],
    ['{"a":[{"__proto__":{"polluted":true}}]}', /key named __proto__/],
    ['{"constructor":1}', /key named constructor/],
    ['{"a":{"prototype":1}}', /key named prototype/],
    ['{"a":[1e999]}', /numbers that JSON cannot/],
    ['{"a":"\\u0000"}', /NUL or lone surrogates/],
    ['{"a\\ud800":1}', /NUL or lone surrogates/],
    ['[]', /must be object/],
    ['null', /must be object/],
  ] as const) {
    const answer = await send(metadata)
    t.match(answer, { ok: false, error: { code: 'VALIDATION_FAILED', details: [{ path: '/metadata', message }] } })
  }
  t.equal(pollution().polluted, undefined)
})

t.test('a process of its own lives on', async (t) => {
  const { databaseUrl } = await database(t)
  const { child, url } = await startServer(t, {
    JWT_SECRET: SECRET,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DATA_DIR: databaseUrl ? tempDir(t) : await embeddedDir(t),
    LOG_LEVEL: 'info',
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
  })
  const service = { url, token: (userId: string) => sign({ sub: userId, exp: inSeconds(3_600) }) } as Service
  await connect(t, service, 'bob')
  const chatId = await makeChat(t, service)

  await pour(t, service, chatId)

  t.equal(child.exitCode, null, 'it lives')
  t.equal((await fetch(`${url}/health`)).status, 200)
  const { socket } = await connect(t, service, 'alice')
  t.match(await must(socket, 'send_message', { chatId, content: 'hello' }), { message: { seq: 1 } }, 'and serves')
})
