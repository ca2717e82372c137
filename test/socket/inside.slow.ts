import t from 'tap'
import * as ws from 'ws'
import { toFrames } from '../../plugins/socket/frames.js'
import { createInside } from '../../plugins/socket/inside.js'
import type { ChatServer, ChatSocket } from '../../plugins/socket/types.js'
import { ask, build, collect, connect, must, next, onEachDatabase, until } from '../helper.js'

const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }
const TEXT_FRAME = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false }

t.test('frames are those that ws makes', async (t) => {
  const texts = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].flatMap((size) => [
    'x'.repeat(size),
    'é'.repeat(size / 2),
  ])
  const wanted = texts.flatMap((text) => Sender.frame(Buffer.from(text), TEXT_FRAME))
  t.ok(toFrames(texts).equals(Buffer.concat(wanted)))
})

onEachDatabase('what is written past Socket.IO', async (t, database) => {
  const service = await build(t, database)
  const { io } = service.app
  const chat = await service.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: [], title: 'x' } })
  const { chatId } = chat.body.chat

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    await t.test(`large answers over ${transports.join(' → ')}`, async (t) => {
      const { socket } = await connect(t, service, 'alice', { transports })
      const content = '語'.repeat(4_000)
      const sent = await Promise.all(
        Array.from({ length: 20 }, async () => (await must(socket, 'send_message', { chatId, content })).message),
      )
      // Two in one turn, with an event between them.
      const [page, heard, refused] = await Promise.all([
        must(socket, 'get_messages', { chatId, limit: 20 }),
        next(socket, 'chat_updated'),
        ask(socket, 'send_message', { chatId, content: '' }),
        must(socket, 'update_chat', { chatId, title: `é ${transports}` }),
      ])
      t.same(new Set(page.messages.map(({ id }) => id)), new Set(sent.map(({ id }) => id)))
      t.ok(page.messages.every((message) => message.content === content))
      t.equal(heard.title, `é ${transports}`)
      t.match(refused, { ok: false, error: { code: 'VALIDATION_FAILED' } })
    })
  }

  await t.test('leaves to Socket.IO what a host says and hears', async (t) => {
    const outgoing: string[] = []
    io.once('connection', (socket) => {
      socket.onAnyOutgoing((event: string) => outgoing.push(event))
      const host = socket as unknown as {
        on(event: string, listener: (ack: (answer: unknown) => void) => void): void
      }
      host.on('host_question', (ack) => ack(Buffer.from('binary')))
    })
    const { socket } = await connect(t, service, 'alice')
    const plain = socket as unknown as { emitWithAck(event: string): Promise<Buffer> }
    t.same(await plain.emitWithAck('host_question'), Buffer.from('binary'))
    const told = next(socket, 'chat_added')
    await must(socket, 'create_chat', { type: 'group', memberIds: [], title: 'y' })
    await told
    const heard = next(socket, 'new_message')
    await must(socket, 'send_message', { chatId, content: 'to all' })
    await heard
    t.ok(outgoing.includes('chat_added'), 'events of ours are heard by onAnyOutgoing')
    // What broke: what all in a chat are told was not, for it is written past Socket.IO.
    t.ok(outgoing.includes('new_message'), 'those to all in a chat, too')
  })
})

type Hide = (conn: Conn) => object
interface Conn {
  transport: { socket?: object }
}
type Method = (socket: ChatSocket, ...args: unknown[]) => unknown

/** An object as it is, but for some of it. */
const but = <T extends object>(whole: T, changed: object): T =>
  new Proxy(whole, {
    get: (target, key) => (key in changed ? Reflect.get(changed, key) : Reflect.get(target, key, target)),
  })

/** The insides of a connection in another version of the libraries. */
const OTHER_INSIDES: Record<string, Hide> = {
  'as they are': () => ({}),
  'no sender': ({ transport }) => ({
    transport: but(transport, { socket: but(transport.socket ?? {}, { _sender: undefined }) }),
  }),
  'a sender that sends no frames': ({ transport }) => ({
    transport: but(transport, { socket: but(transport.socket ?? {}, { _sender: {} }) }),
  }),
  'no websocket': ({ transport }) => ({ transport: but(transport, { socket: undefined }) }),
  'no TCP socket': ({ transport }) => ({
    transport: but(transport, { socket: but(transport.socket ?? {}, { _socket: null }) }),
  }),
  'a TCP socket that cannot be corked': ({ transport }) => ({
    transport: but(transport, { socket: but(transport.socket ?? {}, { _socket: {} }) }),
  }),
  'no transport': () => ({ transport: undefined }),
  'no packet writer': () => ({}),
  'no queue': () => ({ writeBuffer: undefined }),
  'a queue that is no array': () => ({ writeBuffer: { length: 0 } }),
}

t.test('everything arrives, in order, whatever the insides are', async (t) => {
  const service = await build(t)
  const { inside } = service.app
  let hide: Hide = () => ({})
  let hideOfSocket = {}
  // Only what is inside sees others: the libraries have their own.
  for (const name of ['cork', 'takeWire', 'answer', 'emit', 'write', 'waitingBytes', 'lateBytes'] as const) {
    const method = inside[name] as Method
    // Socket.IO's own `emit` needs its packet writer: only who would take its place looks for it.
    const ofSocket = () => (name === 'takeWire' ? hideOfSocket : {})
    const conceal = (socket: ChatSocket) =>
      but(socket, { ...ofSocket(), conn: but(socket.conn, hide(socket.conn as unknown as Conn)) })
    Object.assign(inside, { [name]: (socket: ChatSocket, ...args: unknown[]) => method(conceal(socket), ...args) })
  }
  const body = { type: 'group', memberIds: ['alice', 'bob'], title: 'x' }
  const { chatId } = (await service.call('POST', '/chats', { as: 'service', body })).body.chat
  await service.call('PATCH', `/chats/${chatId}`, { as: 'service', body: { title: 'y' } })

  for (const [what, other] of Object.entries(OTHER_INSIDES)) {
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
      await t.test(`${what}, ${transports.join(' → ')}`, async (t) => {
        hide = other
        hideOfSocket = what === 'no packet writer' ? { packet: undefined } : {}
        const { socket: alice, session } = await connect(t, service, 'alice', { transports })
        const { socket: bob } = await connect(t, service, 'bob', { transports })
        const from = session.chats.find((chat) => chat.chatId === chatId)?.lastSeq as number
        const heard = [alice, bob].map((socket) => collect(socket, 'new_message'))
        const contents = Array.from({ length: 30 }, (_, i) => `é ${i}`)
        const acks = await Promise.all(contents.map((content) => must(alice, 'send_message', { chatId, content })))
        const seqs = contents.map((_, i) => from + 1 + i)
        t.same(
          acks.map(({ message }) => message.seq),
          seqs,
        )
        await until('all have heard', () => heard.every(({ length }) => length >= contents.length))
        for (const messages of heard) {
          t.same(
            messages.map(({ seq, content }) => [seq, content]),
            seqs.map((seq, i) => [seq, contents[i]]),
          )
        }
        const closing = next(bob, 'closing')
        service.app.chat.sessions.end('bob', 'DISCONNECTED')
        t.match(await closing, { code: 'DISCONNECTED' })
      })
    }
  }
})

t.test('a server without the insides closes all the same', async (t) => {
  const closed: unknown[] = []
  const conn = { close: (discard: boolean) => closed.push(discard) }
  const servers: object[] = [
    { engine: {} },
    { engine: { clients: {} }, _nsps: null },
    {
      engine: { clients: { a: conn, b: but(conn, { transport: {} }) } },
      _nsps: new Map([['/', { adapter: { close() {} } }]]),
    },
  ]
  for (const server of servers) {
    const inside = createInside(server as ChatServer)
    inside.closeAll(false)
    inside.closeAll(true)
    await inside.closeAdapters()
  }
  t.same(closed, [false, false, true, true])
})
