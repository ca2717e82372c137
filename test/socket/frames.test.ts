import { Encoder, PacketType } from 'socket.io-parser'
import t from 'tap'
import type { Message } from '../../contract/shapes.js'
import type { Ack } from '../../contract/types.js'
import { encodeAck, encodeEvent } from '../../plugins/socket/frames.js'

const ENGINE_MESSAGE = '4'

/** A packet as Socket.IO writes it. */
function stock(type: PacketType, data: unknown[], id?: number): string {
  const [text] = new Encoder().encode({ type, data, nsp: '/', ...(id !== undefined && { id }) })
  return `${ENGINE_MESSAGE}${text}`
}

const messageOf = (content: string) =>
  ({ id: 'm1', seq: 1, content, metadata: null, mentions: { userIds: [] } }) as unknown as Message

t.test('events and acks are those that Socket.IO makes', async (t) => {
  const message = messageOf('é "quoted" \u2028 語')
  const bodies: Ack<object>[] = [
    { ok: true, data: { message, duplicate: false } },
    { ok: true, data: { unset: undefined, message } },
    { ok: true, data: { messages: [message], hasMore: false } },
    { ok: true, data: {} },
    { ok: false, error: { code: 'NOT_FOUND', message: 'x', retryable: false } as never },
  ]
  const same = (when: string) => {
    for (const [id, body] of bodies.entries()) t.equal(encodeAck(id, body), stock(PacketType.ACK, [body], id), when)
  }
  same('with no message at hand')
  for (const event of ['new_message', 'message_updated', 'messages_expired'] as const) {
    t.equal(encodeEvent(event, message), stock(PacketType.EVENT, [event, message]))
    same(`with a message of ${event} at hand`)
  }
})

t.test('a message that changes after its turn is answered as it is then', async (t) => {
  const message = messageOf('before')
  const ack = () => encodeAck(0, { ok: true, data: { message } })
  encodeEvent('new_message', message)
  t.match(ack(), /before/)
  message.content = 'after'
  t.match(ack(), /before/, 'in the same turn its JSON is at hand')
  await new Promise(setImmediate)
  t.match(ack(), /after/)
})
