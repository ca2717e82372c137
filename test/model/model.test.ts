import { parseArgs } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { build, onEachDatabase, type Service } from '../helper.js'
import { compareAll } from './compare.js'
import { anyOp, CHATS, Model, type Op, ofMessage, PEOPLE, Step, toCommand } from './steps.js'
import { createWorld, type World } from './world.js'

// npm run test:model -- [--runs N] [--only steps|flights] [--seed N --path P [--replay R]]: as npm test does it, longer, or one failing case again.
const { values } = parseArgs({
  strict: false,
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    replay: { type: 'string' },
    only: { type: 'string' },
  },
})
const isLong = values.runs !== undefined
const RUNS = Number(values.runs ?? 6)
const COMMANDS = 40

t.setTimeout(isLong ? 24 * 3_600_000 : 600_000)

const parameters = {
  numRuns: RUNS,
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
  ...(values.path !== undefined && { path: String(values.path) }),
}

/** Checks a property; what it throws ends with the line that runs the failing case again. */
async function hold<T>(name: 'steps' | 'flights', property: fc.IAsyncProperty<T>): Promise<string> {
  if (values.only !== undefined && values.only !== name) return `left out: --only ${values.only}`
  const details = await fc.check(property, parameters)
  if (!details.failed) return `${details.numRuns} runs, seed ${details.seed}`
  const report = (await fc.asyncDefaultReportMessage(details)) ?? ''
  const replay = /replayPath="([^"]*)"/.exec(report)?.[1]
  const line = `npm run test:model -- --only ${name} --seed ${details.seed} --path "${details.counterexamplePath}"${replay ? ` --replay "${replay}"` : ''}`
  throw new Error(`${details.errorInstance}\n${report}\n${line}`)
}

onEachDatabase('every answer is the model’s, one command after another', async (t, database) => {
  const service = await build(t, database)
  const replay = values.replay === undefined ? {} : { replayPath: String(values.replay) }
  const steps = fc.commands<Model, World, true>([anyOp.map((op) => new Step(op))], {
    maxCommands: COMMANDS,
    size: 'max',
    ...replay,
  })
  const said = await hold(
    'steps',
    fc.asyncProperty(steps, async (commands) => {
      const world = await createWorld(t, service, PEOPLE, CHATS)
      const model = new Model(world)
      try {
        await fc.asyncModelRun(() => ({ model, real: world }), commands)
        await world.quiet(() => model.heads(world.users))
        await compareAll(model, world)
        await world.judge()
      } finally {
        world.close()
      }
    }),
  )
  t.pass(said)
})

onEachDatabase('the laws hold when commands of all users run at once', async (t, database) => {
  const service = await build(t, database)
  const flights = fc.array(fc.array(anyOp, { minLength: 4, maxLength: 12, size: 'max' }), {
    maxLength: COMMANDS / 8,
    size: 'max',
  })
  const said = await hold(
    'flights',
    fc.asyncProperty(flights, async (flights) => {
      const world = await createWorld(t, service, PEOPLE, CHATS)
      const known: { id: string }[] = []
      try {
        for (const userId of world.users) await world.connect(userId)
        for (const flight of flights) await Promise.all(flight.map((op) => fly(op, world, known)))
        await world.quiet(() => headsOf(service, world))
        await world.judge()
      } finally {
        world.close()
      }
    }),
  )
  t.pass(said)
})

/** One step among others: whatever it answers, it answers something of the catalogue that is nobody's fault. */
async function fly(op: Op, world: World, known: { id: string }[]): Promise<void> {
  const userId = world.users[op.user] as string
  if (op.kind === 'connect') {
    if (world.devicesOf(userId).length < 2) await world.connect(userId)
    return
  }
  if (op.kind === 'disconnect' || op.kind === 'expire') return
  const message = known.at(-1 - (op.pick % Math.max(known.length, 1)))
  if (ofMessage.has(op.kind) && !message) return
  const { command, input, who, door } = toCommand(op, world, message)
  const answer = await world.call(command, input, who, door, op.pick)
  if (answer.ok && command === 'send_message') known.push(answer.data.message)
  if (!answer.ok && ['INTERNAL', 'UNAVAILABLE', 'OVERLOADED'].includes(answer.code)) throw new Error(answer.code)
}

/** Where every user's chats stand, as the service says; unread is counted again beside it. */
async function headsOf(service: Service, world: World): Promise<Map<string, Map<string, number>>> {
  const heads = new Map<string, Map<string, number>>()
  for (const userId of world.users) {
    const { body } = await service.call('GET', '/chats?filter=all', { as: userId })
    heads.set(
      userId,
      new Map(body.chats.map((chat: { chatId: string; revision: number }) => [chat.chatId, chat.revision])),
    )
    const { rows } = await service.app.db.pool.query(UNREAD, [userId])
    const counted = Object.fromEntries(rows.map(({ chat_id, unread }) => [chat_id, unread]))
    for (const { chatId, unreadCount } of body.chats) {
      if (unreadCount !== counted[chatId])
        throw new Error(`${userId} has ${counted[chatId]} unread in ${chatId}, not ${unreadCount}`)
    }
  }
  return heads
}

const UNREAD = `
SELECT b.chat_id, (
  SELECT count(*)::integer FROM messages m
  WHERE m.chat_id = b.chat_id AND m.sender_id <> b.user_id AND m.deleted_at IS NULL AND m.seq > b.last_read_seq
    AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)) AS unread
FROM members b JOIN chats c ON c.id = b.chat_id WHERE b.user_id = $1`
