import t from 'tap'
import { watchStandstill } from '../../plugins/socket/standstill.js'
import { build, SECRET, sign, tempDir, until } from '../helper.js'
import { startServer } from '../helpers/process.js'
import { openRaw } from '../helpers/raw.js'

t.setTimeout(600_000)

/** Longer than a client waits for a ping that it misses. */
const STILL_MS = 11_000
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

t.test('a standstill is noticed before anything that came meanwhile is done, and once', async (t) => {
  let nowMs = 0
  const stood: number[] = []
  const standstill = watchStandstill(
    10_000,
    (ms) => stood.push(ms),
    () => nowMs,
  )
  t.teardown(standstill.stop)
  nowMs += 10_000
  t.notOk(standstill.hasStood(), 'as long as clients wait is not too long')
  nowMs += 10_251
  t.ok(standstill.hasStood())
  t.notOk(standstill.hasStood())
  t.equal(stood.length, 1)
  nowMs += 20_000
  await until('the look has noticed it, too', async () => stood.length === 2)
})

t.test('what comes before the look that notices it is not done either', async (t) => {
  const service = await build(t)
  const { log } = service.app.chat
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice'] })
  const { message } = await log.append({ chatId, senderId: 'alice', content: 'first' })
  service.app.io.on('connection', (socket) => void socket.on('stand still' as never, () => void block(STILL_MS)))
  const alice = await openRaw(t, service.url, service.token('alice'))
  const bob = await openRaw(t, service.url, service.token('bob'))
  // Both have come when the loop asks next, and it does what both want before it looks at its timers.
  bob.send('42["stand still"]')
  alice.send(`42["edit_message",${JSON.stringify({ messageId: message.id, content: 'too late' })}]`)
  t.match(await alice.take('42["closing"'), /"code":"OVERLOADED"/, 'she is told to come back')
  await until('she is cut off', () => service.app.chat.hub.countOf('alice') === 0)
  const { body } = await service.call('GET', `/messages/${message.id}`, { as: 'alice' })
  t.match(body, { message: { content: 'first', editedAt: null } })
})

// What broke: a client sent an edit to a node that was paused just then, tried again on another, edited once more, and then the first one was done.
t.test('what was sent to a node that was paused is not done when it goes on', async (t) => {
  const { child, url } = await startServer(t, {
    JWT_SECRET: SECRET,
    NODE_ENV: 'test',
    DATA_DIR: tempDir(t),
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DEMO_DATA: 'false',
  })
  const token = sign({ sub: 'alice', exp: Math.floor(Date.now() / 1_000) + 3_600 })
  const alice = await openRaw(t, url, token)
  const made = await alice.ask('create_chat', JSON.stringify({ type: 'group', memberIds: [] }))
  const { chatId } = (made as { data: { chat: { chatId: string } } }).data.chat
  const sent = await alice.ask('send_message', JSON.stringify({ chatId, content: 'first' }))
  const { id: messageId } = (sent as { data: { message: { id: string } } }).data.message

  const authorization = `Bearer ${token}`
  const read = () => fetch(`${url}/messages/${messageId}`, { headers: { authorization } })
  const edit = () =>
    fetch(`${url}/messages/${messageId}`, {
      method: 'PATCH',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'too late' }),
    })
  // Of three requests one has a connection that was there before.
  await (await read()).text()
  child.kill('SIGSTOP')
  alice.send(`42["edit_message",${JSON.stringify({ messageId, content: 'too late' })}]`)
  const edits = [edit(), edit(), edit()]
  await sleep(STILL_MS)
  child.kill('SIGCONT')
  t.equal(await alice.ask('get_chat', JSON.stringify({ chatId })), null, 'she is to come back')
  for (const late of await Promise.all(edits)) {
    t.equal(late.status, 503, 'a request is to come again')
    t.match(await late.json(), { error: { code: 'OVERLOADED', retryable: true } })
  }
  t.match(await (await read()).json(), { message: { content: 'first', editedAt: null } })
  await sleep(2_000)
  t.equal((await edit()).status, 200, 'a while later all is as ever')
})
