import type { Scenario } from './scenario.js'
import type { Stage } from './stage.js'

const STEPS = 25
const EMOJI = ['👍', '🎉', '🙂']
const EVENTS = ['new_message', 'message_updated', 'message_deleted']

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A scenario whose steps and faults a seed decides; the client and the server have clocks of their own, so that times differ. */
export function randomScenario(seed: number): Scenario {
  return {
    name: `seed ${seed}`,
    law: 'Whatever happens, in the end each message is stored once, in order, and the client shows what the server has.',
    async play(stage) {
      const random = createRandom(seed)
      const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)]
      const ids: string[] = []
      let posted = 0
      const post = async (userId: string) => ids.push((await stage.post(userId, `posted ${++posted}`)).id)
      await stage.start()
      await post(stage.other)
      const steps = stepsOf(stage, { random, pick, post, ids })
      for (let step = 0; step < STEPS; step += 1) await pick(steps)?.(step)
      stage.proxy.heal()
      stage.proxy.open()
      // A last revision that was lost is known by the next one.
      await post(stage.other)
      await stage.settle()
    },
  }
}

interface Chance {
  random: () => number
  pick<T>(items: readonly T[]): T | undefined
  post(userId: string): Promise<unknown>
  ids: string[]
}

function stepsOf(stage: Stage, { random, pick, post, ids }: Chance): ((step: number) => Promise<unknown>)[] {
  const { proxy, client, chatId, me, other } = stage
  const id = (): string => pick(ids) ?? ''
  const event = (): string => pick(EVENTS) ?? ''
  /** Sets a fault that waits for its packet, and may never meet it. */
  const fault = async (rule: Parameters<typeof proxy.rule>[0]) => void proxy.rule(rule)
  const send = (step: number) => stage.send(`sent ${step}`)
  return [
    send,
    send,
    send,
    () => post(other),
    () => post(other),
    () => post(me),
    // What is deleted is refused to be edited.
    (step) => stage.edit(other, id(), `edited ${step}`).catch(() => {}),
    () => stage.react(other, id(), pick(EMOJI) ?? '').catch(() => {}),
    () => (random() < 0.3 ? stage.remove(other, id()).catch(() => {}) : post(other)),
    () => client.order('read', { chatId, upToSeq: 1 + Math.floor(random() * ids.length) }),
    () => stage.read(me, 1 + Math.floor(random() * ids.length)),
    async () => proxy.cut(),
    async () => proxy.cut(true),
    async () => proxy.open(),
    async () => proxy.open(),
    () => fault({ from: 'server', of: 'ack:send_message', take: (_packet, link) => link.cut() }),
    () => fault({ from: 'client', of: 'send_message', take: (_packet, link) => link.cut() }),
    () => fault({ from: 'server', of: 'ack:sync', take: (_packet, link) => link.cut() }),
    () => fault({ from: 'server', of: event(), take() {} }),
    () =>
      fault({
        from: 'server',
        of: event(),
        take(packet, link) {
          link.toClient(packet.text)
          link.toClient(packet.text)
        },
      }),
    () =>
      fault({
        from: 'server',
        of: event(),
        // Behind whatever comes in the meantime.
        take: (packet, link) => void setTimeout(() => link.toClient(packet.text), 20 * random()),
      }),
  ]
}
