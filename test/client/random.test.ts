import { parseArgs } from 'node:util'
import t, { type Test } from 'tap'
import type { ChatClient, Room } from '../../client/src/index.js'
import { build, onEachDatabase, type Service } from '../helper.js'
import { createRandom, type Random } from '../simulator/random.js'
import { clientOf, messagesOf, online, when } from './client.js'
import { createFaults } from './faults.js'
import { cut, sameAsFresh } from './world.js'

// npm run test:client -- [--runs N] [--seed N]: as npm test does it, longer, or from a seed on.
const { values } = parseArgs({ strict: false, options: { runs: { type: 'string' }, seed: { type: 'string' } } })
const RUNS = Number(values.runs ?? 2)
const SEED = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const STEPS = 80

t.setTimeout(RUNS * 120_000)

const LOST = ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated', 'messages_expired']

/** The users of one run. */
interface Cast {
  alice: string
  bob: string
  carol: string
}

interface Person {
  userId: string
  cast: Cast
  client: ChatClient
  faults: ReturnType<typeof createFaults>
}

/** What people do, each at random; most of it may be refused. */
const DEEDS: Record<string, (who: Person, room: Room, random: Random, service: Service) => unknown> = {
  send: ({ cast: { bob, carol } }, room, random) =>
    room.send({
      content: `line ${random.below(1_000)}`,
      mentions: { userIds: random.below(3) === 0 ? [bob, carol] : [] },
    }),
  more: (_who, room, random) => room.send({ content: `more ${random.below(1_000)}` }),
  edit: (_who, room, random) => room.edit(idIn(room, random), { content: `other ${random.below(1_000)}` }),
  mention: ({ cast: { alice, bob } }, room, random) =>
    room.edit(idIn(room, random), { mentions: { userIds: [alice, bob].slice(random.below(3)) } }),
  remove: (_who, room, random) => room.remove(idIn(room, random)),
  react: (_who, room, random) => room.react(idIn(room, random), '👍', random.below(2) === 0),
  pin: (_who, room, random) => room.pin(idIn(room, random), random.below(2) === 0),
  read: (_who, room, random) => room.read(random.below((room.chat.get()?.lastSeq ?? 0) + 1)),
  readAll: (_who, room) => room.read(room.chat.get()?.lastSeq ?? 0),
  before: (_who, room) => room.before(),
  latest: (_who, room) => room.latest(),
  around: (_who, room, random) => room.around(1 + random.below(20)),
  settings: ({ client }, { chatId }, random) =>
    client.command('set_chat_settings', {
      chatId,
      isPinned: random.below(2) === 0,
      isMarkedUnread: random.below(2) === 0,
      isArchived: random.below(4) === 0,
      isHidden: random.below(4) === 0,
    }),
  seen: ({ client }, { chatId }, random) =>
    client.command('update_chat', { chatId, historyVisibility: random.below(2) === 0 ? 'all' : 'joined' }),
  title: ({ client }, { chatId }, random) =>
    client.command('update_chat', { chatId, title: `title ${random.below(100)}` }),
  out: ({ client, cast }, { chatId }) => client.command('remove_member', { chatId, userId: cast.carol }),
  in: ({ client, cast }, { chatId }) => client.command('add_members', { chatId, userIds: [cast.carol] }),
  expire: (_who, { chatId }, random, { app }) => app.chat.log.expireThrough(chatId, random.below(4)),
  cut: ({ userId }, _room, _random, service) => cut(service, userId),
  cutAgain: ({ userId }, _room, _random, service) => cut(service, userId),
  lose: ({ faults }, _room, random) => faults.lose(random.pick(LOST)),
  repeat: ({ faults }, _room, random) => faults.repeat(random.pick(LOST)),
}

const idIn = (room: Room, random: Random): string => {
  const messages = messagesOf(room)
  return messages[random.below(messages.length)]?.id ?? '018f0000-0000-7000-8000-000000000000'
}

async function play(t: Test, service: Service, seed: number): Promise<void> {
  t.comment(`seed ${seed}`)
  const random = createRandom(seed)
  const cast: Cast = { alice: `alice ${seed}`, bob: `bob ${seed}`, carol: `carol ${seed}` }
  // One of them has two devices.
  const people = [...Object.values(cast), cast.carol].map((userId: string): Person => {
    const faults = createFaults()
    return { userId, cast, faults, client: clientOf(t, service, userId, { socket: faults }) }
  })
  await Promise.all(people.map(({ client }) => online(client)))
  const [alice] = people
  if (!alice) return
  const chatIds: string[] = []
  for (const type of ['group', 'group', 'direct'] as const) {
    const memberIds = type === 'direct' ? [cast.bob] : [cast.bob, cast.carol]
    chatIds.push((await alice.client.command('create_chat', { type, memberIds })).chat.chatId)
  }
  for (const { client } of people)
    for (const chatId of chatIds) if (random.below(3) > 0) void client.room(chatId).latest()
  const names = Object.keys(DEEDS)
  const expiries: Promise<unknown>[] = []
  for (let i = 0; i < STEPS; i += 1) {
    const who = people[random.below(people.length)] ?? alice
    const room = who.client.room(chatIds[random.below(chatIds.length)] ?? '')
    const name = names[random.below(names.length)] ?? ''
    const done = Promise.resolve(DEEDS[name]?.(who, room, random, service)).catch(() => {})
    if (name === 'expire') expiries.push(done)
    if (random.below(3) === 0) await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 50))])
  }
  // When something last happened in a chat, nobody is told but by its last message: that one stays.
  await Promise.all(expiries)
  // Whatever chance has done, there is a hole at the end; what follows it tells.
  for (const { faults } of people) {
    faults.stop()
    for (const _ of chatIds) faults.lose('new_message')
  }
  for (const chatId of chatIds) alice.client.room(chatId).send({ content: 'not seen' })
  await when(alice.client.outbox, 'all is sent', (entries) => entries.every(({ status }) => status === 'failed'))
  for (const { faults } of people) faults.stop()
  for (const chatId of chatIds) alice.client.room(chatId).send({ content: 'the end' })
  for (const { client, userId } of people) {
    await sameAsFresh(t, service, client, userId)
    await client.close()
  }
  t.ok(
    people.some(({ faults }) => faults.done() > 0),
    'something was done to their events',
  )
}

onEachDatabase('three clients do what they like, and end as who comes anew', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users' })
  for (let i = 0; i < RUNS; i += 1) await play(t, service, SEED + i)
})
