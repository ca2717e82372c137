import { type Bench, type CaseResult, interleave, meterWhile, type Sample, settle } from '../lib/bench.js'
import { query } from '../lib/postgres.js'
import { layout } from '../lib/seed.js'
import type { Server } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import type { Work } from '../load/commands.js'
import { openSender, warmUp } from './sends.js'

const CHATS = 100
const MEMBERS = 20
const MESSAGES = 5
const BYTES = 120
const IN_FLIGHT = 64
const LEAST_A_SECOND = 3_000

const idOf = (chat: number, seq: number) => `00000000-0000-7000-8000-${(chat * 100 + seq).toString().padStart(12, '0')}`

/** In each chat some messages of its first member. */
const SAID = `
WITH said AS (
  INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
  SELECT ('00000000-0000-7000-8000-' || lpad((c * 100 + s)::text, 12, '0'))::uuid, 'c' || c, s, s + 1, 'u' || c * ${MEMBERS}, 'x', now()
  FROM generate_series(0, ${CHATS - 1}) c, generate_series(1, ${MESSAGES}) s
  RETURNING *
), logged AS (
  INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
  SELECT chat_id, revision, 'message_created', id, sender_id, now() FROM said
)
UPDATE chats SET last_seq = ${MESSAGES}, revision = ${MESSAGES + 1}`

/** For each client, commands of which each changes something when they are sent in turn. */
function turnsOf(commands: (messageId: string, round: number) => [event: string, payload: object]): Work {
  const texts = Array.from({ length: CHATS }, (_, chat) =>
    [0, 1].flatMap((round) =>
      Array.from({ length: MESSAGES }, (_, i) => JSON.stringify(commands(idOf(chat, i + 1), round))),
    ),
  )
  return { kind: 'turns', texts }
}

const WORKS: Record<string, Work> = {
  sends: { kind: 'send', chats: Array.from({ length: CHATS }, (_, i) => [`c${i}`]), bytes: BYTES },
  edits: turnsOf((messageId, round) => ['edit_message', { messageId, content: `${round} `.padEnd(BYTES, 'x') }]),
  reactions: turnsOf((messageId, round) => [round ? 'remove_reaction' : 'add_reaction', { messageId, emoji: '👍' }]),
}

async function measure(bench: Bench, server: Server, database: string, work: Work, ms: number): Promise<Sample> {
  const { generator } = bench
  const before = await stand(bench, database)
  await generator.call('closedLoop', { group: 'ours', work, inFlight: IN_FLIGHT })
  const metered = await meterWhile(bench, server, 'ours', ms / 3, ms)
  await generator.call('stop', { group: 'ours' })
  await settle(bench, 'ours')
  const after = await stand(bench, database)
  return {
    perSecond: (metered.acks / metered.ms) * 1_000,
    us: metered.cpu / metered.acks,
    sqlUs: metered.sql / metered.acks,
    revisions: (after.revisions - before.revisions) / (after.acks - before.acks),
  }
}

/** How far all chats are, and how many commands were answered. */
async function stand({ generator }: Bench, database: string): Promise<{ revisions: number; acks: number }> {
  const [row] = await query<{ revisions: number }>(database, 'SELECT sum(revision)::integer AS revisions FROM chats')
  return { revisions: row?.revisions ?? 0, acks: (await generator.call('counts', { group: 'ours' })).acks }
}

/** Edits and reactions in a closed loop over 100 chats of 20, one member of each connected, beside sends on the same server. */
export async function changes(bench: Bench): Promise<CaseResult> {
  const users = Array.from({ length: CHATS }, (_, i) => `u${i * MEMBERS}`)
  const { server, database } = await openSender(bench, 'ours', layout(CHATS, MEMBERS), users, 'ours', SAID)
  await warmUp(
    bench,
    'ours',
    users.map((_, i) => [`c${i}`]),
  )
  const ms = bench.quick ? 600 : 1_500
  const runs = Object.fromEntries(
    Object.entries(WORKS).map(([name, work]) => [
      name,
      (isWarmUp: boolean) => measure(bench, server, database, work, isWarmUp ? ms * 2 : ms),
    ]),
  )
  const samples = await interleave(bench, `changes, ${IN_FLIGHT} in flight`, runs)
  await bench.generator.call('kill', { group: 'ours' })
  await server.stop()

  const cell = (name: string, key: string) => medians(samples[name] ?? [])[key] ?? Number.NaN
  return {
    data: samples,
    checks: ['edits', 'reactions'].map((name) => ({
      law: `${name}, ${IN_FLIGHT} in flight: ≥ ${LEAST_A_SECOND} a second`,
      measured: cell(name, 'perSecond').toFixed(0),
      holds: cell(name, 'perSecond') >= LEAST_A_SECOND,
    })),
    tables: [
      {
        title: `Changes of messages, ${CHATS} chats × ${MEMBERS} members, ${IN_FLIGHT} in flight`,
        note: 'Each change takes a revision, and makes one ack and one delivery.',
        head: ['', 'a second', 'Node, µs each', 'PostgreSQL, µs each', 'revisions each'],
        rows: Object.keys(WORKS).map((name) => [
          name,
          cell(name, 'perSecond').toFixed(0),
          cell(name, 'us').toFixed(1),
          cell(name, 'sqlUs').toFixed(0),
          cell(name, 'revisions').toFixed(2),
        ]),
      },
    ],
  }
}
