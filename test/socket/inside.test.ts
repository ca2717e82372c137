import t from 'tap'
import * as ws from 'ws'
import { toFrames } from '../../plugins/socket/frames.js'
import { ask, build, connect, must, next, onEachDatabase } from '../helper.js'

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
    t.ok(outgoing.includes('chat_added'), 'events of ours are heard by onAnyOutgoing')
  })
})
