import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { build, connect, inSeconds, must, onEachDatabase, SECRET, sign, tempDir, until } from '../helper.js'
import { startServer } from '../helpers/process.js'
import { openRaw } from '../helpers/raw.js'

/** Frames that reach no command; each may be repeated for a while, and none for ever. */
const JUNK: Record<string, (string | Buffer)[]> = {
  'pongs that nobody asked for': ['3'],
  'acks that nobody waits for': ['43[]'],
  'acks of other packets': ['439[{}]'],
  noops: ['6'],
  'events that are none': ['42["nothing",{}]'],
  'events that are none, with acks': ['421["nothing",{}]'],
  'events with many arguments': [`42["nothing"${',0'.repeat(20)}]`],
  'namespaces that are not there': ['40/x,'],
  'namespaces of all names': ['40/__proto__,{}'],
  'binary acks': ['461-7[{"_placeholder":true,"num":0}]', Buffer.from([1])],
  'binary events': ['451-["nothing",{"_placeholder":true,"num":0}]', Buffer.from([1])],
}
/** What ends a connection the first time. */
const NEVER: Record<string, (string | Buffer)[]> = {
  'a ping of a client': ['2'],
  'joining twice': ['40'],
  'an unknown packet': ['9'],
  'an unknown packet inside': ['49'],
  'a refusal': ['44{"message":"x"}'],
  'binary out of turn': [Buffer.from([1])],
  'text within binary': ['451-["x",{"_placeholder":true,"num":0}]', '42["x"]'],
  'more arguments than a stack holds': [`42["nothing"${',0'.repeat(125_000)}]`],
  'more arguments than an ack has': [`431[0${',0'.repeat(125_000)}]`],
}
const FLOOD = 5_000

type Raw = Awaited<ReturnType<typeof openRaw>>

/** Sends frames again and again; answers what came before the connection was closed. */
async function pour(raw: Raw, frames: (string | Buffer)[], times: number): Promise<string[]> {
  for (let i = 0; i < times; i += 1) raw.send(...frames)
  if ((await raw.take('no frame begins so')) !== null) throw new Error('it is still there')
  return raw.heard
}

async function isServed(t: Test, raw: Raw, what: string): Promise<void> {
  t.match(await raw.ask('get_users', '{"userIds":["alice"]}'), { ok: true }, `${what}: served on`)
  raw.close()
}

onEachDatabase('what reaches no command is cheap, and ends whoever goes on with it', async (t, database) => {
  const service = await build(t, { ...database, rateLimit: 'on' })
  for (const [what, frames] of Object.entries(JUNK)) {
    await t.test(what, async (t) => {
      const token = service.token(what)
      const few = await openRaw(t, service.url, token)
      for (let i = 0; i < 5; i += 1) few.send(...frames)
      await isServed(t, few, 'a few')

      const raw = await openRaw(t, service.url, token)
      const other = await openRaw(t, service.url, token)
      const heard = await pour(raw, frames, FLOOD)
      t.equal(heard.at(-1), '41')
      t.match(heard.at(-2), /^42\["closing",\{"code":"ABUSE".*"reconnectInMs":30000/, 'it is told, and closed')
      t.ok(await other.take('42["closing",{"code":"ABUSE"'), 'so are the others of its user')
      const answers = heard.filter((frame) => /^4[34]/.test(frame)).length
      t.ok(answers <= 150, `${answers} of ${FLOOD} were answered`)
    })
  }
  for (const [what, frames] of Object.entries(NEVER)) {
    await t.test(what, async (t) => {
      const raw = await openRaw(t, service.url, service.token('alice'))
      await pour(raw, frames, 1)
      t.pass('closed')
    })
  }
  await t.test('pings of WebSocket, which ws answers', async (t) => {
    const ws = new WebSocket(`${service.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    t.teardown(() => ws.terminate())
    let pongs = 0
    ws.on('pong', () => {
      pongs += 1
    })
    await new Promise((resolve) => ws.once('open', resolve))
    for (let i = 0; i < FLOOD; i += 1) ws.ping()
    await new Promise((resolve) => ws.once('close', resolve))
    t.ok(pongs < FLOOD / 2, `${pongs} of ${FLOOD}`)
  })
  await t.test('before anything is joined', async (t) => {
    for (const frames of [['3'], ['40/x,']]) {
      const raw = await openRaw(t, service.url)
      await pour(raw, frames, FLOOD)
    }
    t.pass('closed')
  })
  await t.test('over polling', async (t) => {
    const url = `${service.url}/socket.io/?EIO=4&transport=polling`
    const join = async () => {
      const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
      return `${url}&sid=${sid}`
    }
    const post = (session: string, packet: string, times: number) =>
      fetch(session, { method: 'POST', body: Array.from({ length: times }, () => packet).join('\u001e') }).then(
        ({ status }) => status,
        () => 0,
      )
    const session = await join()
    t.equal(await post(session, '3', 50), 200, 'a few')
    await post(session, '3', 1_000)
    t.equal(await post(session, '3', 1), 400, 'the session is gone')
    t.equal(await post(await join(), '3', 1_025), 400, 'and so many in one body are not even taken apart')
  })
  await until('all are gone', () => service.app.io.engine.clientsCount === 0)
})

// What broke: an event of 100,000 arguments, which makes as many arguments of a function, ended the process.
t.test('no number of arguments ends the process', async (t) => {
  const { url, child } = await startServer(t, {
    JWT_SECRET: SECRET,
    NODE_ENV: 'test',
    AUTO_CREATE_USERS: 'true',
    MAX_LOOP_DELAY_MS: '0',
    DATA_DIR: tempDir(t),
  })
  const token = sign({ sub: 'alice', exp: inSeconds(3_600) })
  for (const count of [33, 1_000, 60_000, 100_000, 125_000, 131_000]) {
    for (const event of ['send_message', 'nothing', '__proto__']) {
      const raw = await openRaw(t, url, token)
      raw.send(`42["${event}"${',0'.repeat(count)}]`)
      t.equal(await raw.take('no frame begins so'), null, `${count} arguments close the connection`)
    }
  }
  t.equal(child.exitCode, null)
  t.equal((await fetch(`${url}/live`)).status, 200, 'and nothing else')
})

t.test('events of a host are no junk', async (t) => {
  const service = await build(t)
  let heard = 0
  service.app.io.on('connection', (socket) => {
    socket.on(
      'tick' as never,
      (() => {
        heard += 1
      }) as never,
    )
  })
  const { socket } = await connect(t, service, 'alice')
  const emit = socket.emit.bind(socket) as (event: string) => void
  for (let i = 0; i < 500; i += 1) emit('tick')
  await must(socket, 'get_users', { userIds: ['alice'] })
  t.equal(heard, 500)
  t.ok(socket.connected)
})

// What broke: all that had come of a connection was taken in one turn, tens of thousands of commands, and everybody waited.
t.test('one message of a connection is taken in a turn of the loop', async (t) => {
  const service = await build(t)
  let inTurn = 0
  let most = 0
  let heard = 0
  service.app.io.on('connection', (socket) => {
    socket.on(
      'tick' as never,
      (() => {
        if (inTurn === 0) {
          setImmediate(() => {
            inTurn = 0
          })
        }
        inTurn += 1
        heard += 1
        most = Math.max(most, inTurn)
      }) as never,
    )
  })
  const raw = await openRaw(t, service.url, service.token('alice'))
  for (let i = 0; i < FLOOD; i += 1) raw.send('42["tick"]')
  await until('all are heard', () => heard === FLOOD)
  t.ok(most < 20, `${most} at once`)
})

t.test('who does not take its end is cut', async (t) => {
  const service = await build(t)
  const connections = () =>
    new Promise<number>((resolve) => service.host.server.getConnections((_error, count) => resolve(count)))
  const raw = await openRaw(t, service.url, service.token('alice'))
  raw.pause()
  for (let i = 0; i < FLOOD; i += 1) raw.send('3')
  t.equal(await connections(), 1)
  await until('its connection is gone', async () => (await connections()) === 0)
})
