import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { build, connect, must } from '../helper.js'

const service = await build(t, { maxMessageChars: 65_536 })

/** Joins over polling by hand; answers the URL of the session. */
async function join(): Promise<string> {
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
  const session = `${url}&sid=${sid}`
  await fetch(session, { method: 'POST', body: `40${JSON.stringify({ token: service.token('alice') })}` })
  await hear(session, '42["session"')
  return session
}

/** Polls until a packet comes that starts so. */
async function hear(session: string, start: string): Promise<void> {
  for (;;) {
    const response = await fetch(session)
    if (!response.ok) throw new Error(`no ${start}, but ${response.status}`)
    if ((await response.text()).includes(start)) return
  }
}

/** A chat of alice and bob, and the contents in it. */
async function openChat(t: Test) {
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
  return {
    chatId: chat.chatId,
    contents: async () =>
      (await must(socket, 'get_messages', { chatId: chat.chatId })).messages.map(({ content }) => content),
  }
}

const sendPacket = (chatId: string, content: Buffer) =>
  Buffer.concat([Buffer.from(`421["send_message",{"chatId":"${chatId}","content":"`), content, Buffer.from('"}]')])

// What broke: polling answers let a browser guess their type, and could be had as a script (JSONP).
t.test('polling answers are not to be sniffed, and are no scripts', async (t) => {
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const nosniff = (response: Response) => response.headers.get('x-content-type-options')
  const session = await join()
  const answers = {
    handshake: await fetch(url),
    'a message in': await fetch(session, { method: 'POST', body: '420["typing",{}]' }),
    'a message out': await fetch(session),
    'an unknown session': await fetch(`${url}&sid=nobody`),
    'a foreign origin': await fetch(url, { headers: { origin: 'https://evil.example' } }),
  }
  for (const [what, answer] of Object.entries(answers)) t.equal(nosniff(answer), 'nosniff', what)

  for (const j of ['j=0', 'j', 'j=x', 'j=0&j=1', '%6a=0', 'x=?&j=0']) {
    const refused = await fetch(`${url}&${j}`)
    t.equal(refused.status, 400, j)
    t.equal(nosniff(refused), 'nosniff')
    t.notMatch(await refused.text(), '___eio')
    t.equal((await fetch(`${session}&${j}`)).status, 400, 'nor later')
  }
  t.equal((await fetch(session, { method: 'POST', body: '3' })).status, 200, 'and the session lives on')
})

// What broke: a `sid` behind another `?` passed the check of origins, which read URLs otherwise than Engine.IO does.
t.test('a session is known however its URL is written', async (t) => {
  const foreign = { headers: { origin: 'https://evil.example' }, method: 'POST', body: '3' }
  const session = await join()
  for (const sid of ['sid', '%73id', 's%69d', 'x=?&sid']) {
    const written = session.replace('sid=', `${sid}=`)
    t.equal((await fetch(written, foreign)).status, 400, sid)
    t.equal((await fetch(written, { method: 'POST', body: '3' })).status, 200, sid)
  }
})

const BROKEN = {
  'a byte that is none': Buffer.from([0x61, 0xff]),
  'a character that ends early': Buffer.from([0xf0, 0x9f, 0x98]),
  'an overlong slash': Buffer.from([0xc0, 0xaf]),
  'a surrogate': Buffer.from([0xed, 0xa0, 0x80]),
}

// What broke: over polling, such bytes were stored as U+FFFD.
t.test('bytes that are no UTF-8 are refused over both transports', async (t) => {
  const { chatId, contents } = await openChat(t)
  const good = Buffer.from('\ufeffGrüße 👋 \ufffd')

  for (const [what, bytes] of Object.entries(BROKEN)) {
    await t.test(what, async (t) => {
      const session = await join()
      const polled = await fetch(session, { method: 'POST', body: sendPacket(chatId, bytes) })
      t.equal(polled.status, 400)

      const ws = new WebSocket(`${service.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
      t.teardown(() => ws.terminate())
      await once(ws, 'open')
      const joined = new Promise<void>((resolve) => {
        ws.on('message', (data) => String(data).startsWith('42["session"') && resolve())
      })
      ws.send(`40${JSON.stringify({ token: service.token('alice') })}`)
      await joined
      ws.send(sendPacket(chatId, bytes), { binary: false })
      t.equal((await once(ws, 'close'))[0], 1007)
    })
  }
  t.same(await contents(), [], 'and nothing of them is stored')

  const session = await join()
  t.equal((await fetch(session, { method: 'POST', body: sendPacket(chatId, good) })).status, 200)
  await hear(session, '431[')
  t.same(await contents(), [good.toString()])
})

t.test('a polling body of any size and any pieces comes whole', async (t) => {
  const { chatId, contents } = await openChat(t)
  const long = '👋'.repeat(50_000)
  const packet = sendPacket(chatId, Buffer.from(long))
  async function* pieces() {
    for (let at = 0; at < packet.length; at += 9_999) yield packet.subarray(at, at + 9_999)
  }
  const session = await join()
  const body = pieces() as never
  t.equal((await fetch(session, { method: 'POST', body, duplex: 'half' } as RequestInit)).status, 200)
  await hear(session, '431[')
  t.same(await contents(), [long])

  const over = await fetch(session, { method: 'POST', body: 'x'.repeat(256 * 1024 + 1) })
  t.equal(over.status, 413, 'and one over the limit is refused as such')
  t.equal((await fetch(await join(), { method: 'POST' })).status, 400, 'an empty one says nothing')
})
