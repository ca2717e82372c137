import { type Rule, refuseWith } from '../proxy.js'
import type { Scenario } from '../scenario.js'
import { must, type Stage } from '../stage.js'

const cut: Rule['take'] = (_packet, link) => link.cut()
/** Longer than a frame that the server takes. */
const HUGE = 'x'.repeat(300 * 1_024)
const RETRY_MS = 300

/** Holds the first ack and the event of one send back, and lets them go in the order of these names. */
function reorder({ rule }: Stage, first: string, second: string): Promise<unknown> {
  let release = (): void => {}
  const firstGone = new Promise<void>((resolve) => {
    release = resolve
  })
  return Promise.all([
    rule({
      from: 'server',
      of: first,
      take(packet, link) {
        link.toClient(packet.text)
        release()
      },
    }),
    rule({
      from: 'server',
      of: second,
      take: async (packet, link) => firstGone.then(() => link.toClient(packet.text)),
    }),
  ])
}

/** Answers the next sends with an error, in place of the server. */
const refuse = (error: object, times: number): Rule => ({
  from: 'client',
  of: 'send_message',
  times,
  take: refuseWith(error),
})

async function sendAll(stage: Stage, contents: string[]): Promise<void> {
  for (const content of contents) await stage.send(content)
}

/** Acks, order and refusals of sends. */
export const SENDING: Scenario[] = [
  {
    name: 'lost-ack',
    law: 'Who has not heard the ack sends again with the same key, and the message is stored once.',
    async play(stage) {
      await stage.start()
      const lost = stage.rule({ from: 'server', of: 'ack:send_message', take: cut })
      // The event would tell that it was stored.
      const unheard = stage.rule({ from: 'server', of: 'new_message', take() {} })
      await stage.send('one')
      await Promise.all([lost, Promise.race([unheard, lost])])
      stage.proxy.heal()
      await stage.send('two')
      await stage.settle()
    },
  },
  {
    name: 'lost-ack-alive',
    law: 'An ack that is lost while the connection lives is not waited for without end.',
    async play(stage) {
      await stage.start()
      const lost = stage.rule({ from: 'server', of: 'ack:send_message', take() {} })
      // The event would tell that it was stored.
      const unheard = stage.rule({ from: 'server', of: 'new_message', take() {} })
      const before = stage.proxy.connections()
      await stage.send('one')
      await stage.send('two')
      await Promise.all([lost, unheard])
      await stage.settle()
      must(stage.proxy.connections() === before, 'it has cost the connection')
    },
  },
  {
    name: 'lost-send',
    law: 'What was under way when the connection broke is sent again.',
    async play(stage) {
      await stage.start()
      const lost = stage.rule({ from: 'client', of: 'send_message', take: cut })
      await stage.send('one')
      await lost
      await stage.settle()
    },
  },
  {
    name: 'ack-first',
    law: 'Ack and event come in either order, and make one message: the ack first.',
    async play(stage) {
      await stage.start()
      const both = reorder(stage, 'ack:send_message', 'new_message')
      await stage.send('one')
      await both
      await stage.settle()
    },
  },
  {
    name: 'event-first',
    law: 'Ack and event come in either order, and make one message: the event first.',
    async play(stage) {
      await stage.start()
      const both = reorder(stage, 'new_message', 'ack:send_message')
      await stage.send('one')
      await both
      await stage.settle()
    },
  },
  {
    name: 'queue-cut',
    law: 'The order of sends is kept when the connection breaks in their middle.',
    async play(stage) {
      await stage.start()
      const broken = stage.rule({
        from: 'client',
        of: 'send_message',
        fits: (packet) => packet.kind === 'event' && packet.payload.content === 'two',
        take(packet, link) {
          link.toServer(packet.text)
          setImmediate(link.cut)
        },
      })
      await sendAll(stage, ['one', 'two', 'three', 'four', 'five'])
      await broken
      await stage.settle()
    },
  },
  {
    name: 'written-away',
    law: 'What is written without a connection is sent when there is one, in order.',
    async play(stage) {
      await stage.start()
      await stage.away(() => sendAll(stage, ['one', 'two', 'three']))
      await stage.settle()
    },
  },
  {
    name: 'rate-limited',
    law: 'RATE_LIMITED is tried again after retryAfterMs and not before, and keeps the order.',
    async play(stage) {
      await stage.start()
      let refusedAt = 0
      let isEarly = false
      const error = { code: 'RATE_LIMITED', message: 'Wait.', retryable: true, retryAfterMs: RETRY_MS }
      const refusal = refuse(error, 1)
      const refused = stage.rule({
        ...refusal,
        take(packet, link) {
          refusedAt = performance.now()
          void refusal.take(packet, link)
        },
      })
      await sendAll(stage, ['one', 'two', 'three'])
      await refused
      await stage.rule({
        from: 'client',
        of: 'send_message',
        take(packet, link) {
          // Timers of a client may be a moment early.
          isEarly = performance.now() - refusedAt < RETRY_MS - 20
          link.toServer(packet.text)
        },
      })
      await stage.settle()
      must(!isEarly, 'it was tried again before retryAfterMs')
    },
  },
  {
    name: 'overloaded',
    law: 'A refusal that may pass is tried again, and what follows waits for it.',
    async play(stage) {
      await stage.start()
      const refused = stage.rule(refuse({ code: 'OVERLOADED', message: 'Busy.', retryable: true, retryAfterMs: 50 }, 2))
      await sendAll(stage, ['one', 'two', 'three'])
      await refused
      await stage.settle()
    },
  },
  {
    name: 'refused',
    law: 'What was refused for good is told, is not sent again, and holds nothing up.',
    async play(stage) {
      await stage.start()
      await stage.send('one')
      await stage.send(' \n ', true)
      await stage.send('three')
      await stage.settle()
      // Another one behind it shows that it was not tried again meanwhile.
      await stage.send('four')
      await stage.settle()
      const tries = stage.proxy.heard('send_message').filter(({ content }) => content === ' \n ')
      must(tries.length <= 1, `it was sent ${tries.length} times`)
    },
  },
  {
    name: 'oversize',
    law: 'What no frame can hold is refused by the client itself: the server would end the connection.',
    async play(stage) {
      await stage.start()
      const before = stage.proxy.connections()
      await stage.send(HUGE, true)
      await stage.send('two')
      await stage.settle()
      must(stage.proxy.connections() === before, 'it has cost the connection')
    },
  },
  {
    name: 'key-conflict',
    law: 'IDEMPOTENCY_CONFLICT is final: another device took the key for another text, and what was written here is told to have failed, with its text.',
    async play(stage) {
      await stage.start()
      const taken = stage.rule({
        from: 'client',
        of: 'send_message',
        async take(packet, link) {
          if (packet.kind !== 'event') return
          // Its event comes before the answer to the send.
          await stage.post(stage.me, 'of another device', String(packet.payload.clientMessageId))
          link.toServer(packet.text)
        },
      })
      await stage.send('one', true)
      await taken
      await stage.send('two')
      const truth = await stage.settle()
      const contents = truth?.messages.map(({ content }) => content).join(', ')
      must(contents === 'of another device, two', `what was stored is [${contents}]`)
    },
  },
]
