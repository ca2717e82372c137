import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { API_KEY, embeddedDir, inSeconds, SECRET, sign } from '../helper.js'
import { startServer } from '../helpers/process.js'
import { openRaw } from '../helpers/raw.js'

t.setTimeout(600_000)

async function start(t: Test) {
  const env = { JWT_SECRET: SECRET, SERVICE_API_KEYS: API_KEY, AUTO_CREATE_USERS: 'true', CHAT_CREATION: 'users' }
  const { child, url } = await startServer(t, { ...env, DATA_DIR: await embeddedDir(t) })
  const token = (sub: string, exp: number) => sign({ sub, exp })
  const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
  await fetch(`${url}/users/alice`, { method: 'PUT', headers, body: '{"name":"Alice"}' })
  const bob = await openRaw(t, url, token('bob', inSeconds(600)))
  const made = await bob.ask('create_chat', '{"type":"group","title":"x","memberIds":["alice"]}')
  const { chat } = (made?.ok ? made.data : {}) as { chat: { chatId: string } }
  const contents = async () => {
    const page = await bob.ask('get_messages', JSON.stringify({ chatId: chat.chatId }))
    const { messages } = (page?.ok ? page.data : {}) as { messages: { content: string }[] }
    return messages.map(({ content }) => content)
  }
  return { child, url, token, bob, chatId: chat.chatId, contents }
}

// What came while the process slept over the end of a token is read after it, whatever the timers have done by then.
t.test('a process that sleeps over the end of a token takes nothing of it any more', async (t) => {
  const { child, url, token, chatId, contents } = await start(t)
  const exp = inSeconds(3)
  const alice = await openRaw(t, url, token('alice', exp))
  const send = (content: string) => alice.ask('send_message', JSON.stringify({ chatId, content }))
  t.match(await send('in time'), { ok: true })
  t.teardown(() => child.kill('SIGCONT'))
  child.kill('SIGSTOP')
  const late = send('too late')
  await sleep(Math.max(0, exp * 1_000 - Date.now()) + 200)
  child.kill('SIGCONT')
  const answer = await late
  if (answer) t.match(answer, { ok: false, error: { code: 'TOKEN_EXPIRED' } })
  t.match(await alice.take('42["closing"'), /TOKEN_EXPIRED/)
  t.equal(await alice.take('never'), null, 'and it is closed')
  t.same(await contents(), ['in time'])
})

t.test('nothing is delivered to a token that has ended', async (t) => {
  const { url, token, bob, chatId } = await start(t)
  const exp = inSeconds(5)
  const alice = await openRaw(t, url, token('alice', exp))
  while (Date.now() < exp * 1_000 + 2_500) {
    await bob.ask('send_message', JSON.stringify({ chatId, content: `at ${Date.now()}` }))
    await sleep(20)
  }
  const times = alice.heard.flatMap((frame) => /"at (\d+)"/.exec(frame)?.[1] ?? []).map(Number)
  t.ok(times.length > 0, 'before, it hears all')
  const last = (times.at(-1) ?? 0) - exp * 1_000
  t.comment(`the last delivery was sent ${last} ms after the end`)
  t.ok(last <= 2_000, 'a tick of the sweep later it hears nothing')
  t.match(await alice.take('42["closing"'), /TOKEN_EXPIRED/)
})
