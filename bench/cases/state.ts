import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, interleave, meter, meterWhile, type Sample, settle } from '../lib/bench.js'
import { query } from '../lib/postgres.js'
import { API_KEY } from '../lib/secrets.js'
import { layout } from '../lib/seed.js'
import { medians, spread } from '../lib/stats.js'
import type { Work } from '../load/commands.js'
import { openSender } from './sends.js'

const READERS = 500
const STEPS = 150
const LAST_SEQ = 2_000
const SETTLE_MS = 2_000
const IDS = 1_000

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function post(port: number, path: string, body: string): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-api-key': API_KEY,
  }
  return new Promise((resolve, reject) => {
    request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
      .once('error', reject)
      .end(body)
  })
}

const HISTORY = `
WITH made AS (
  INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
  SELECT gen_random_uuid(), 'c0', n, n + 1, 'u0', 'a message', now() FROM generate_series(1, ${LAST_SEQ}) n
), logged AS (
  INSERT INTO chat_log (chat_id, revision, kind, actor_id, at)
  SELECT 'c0', n + 1, 'message_created', 'u0', now() FROM generate_series(1, ${LAST_SEQ}) n
)
UPDATE chats SET last_seq = ${LAST_SEQ}, revision = ${LAST_SEQ} + 1 WHERE id = 'c0'`

/** Read marks in a chat of 500, presence that changes, and presence asked for in bulk. */
export async function state(bench: Bench): Promise<CaseResult> {
  const { generator } = bench
  const ms = bench.quick ? 500 : 1_500
  const readers = Array.from({ length: READERS }, (_, i) => `u${i}`)
  // A chat of 500, and beside it people in ten chats of 20 each.
  const marks = await openSender(bench, 'ours', layout(1, READERS), readers, 'marks', HISTORY)
  const reading = marks.server
  const circles = await openSender(bench, 'ours', layout(100, 20, 200), readers.slice(0, 200), 'circles')
  await sleep(SETTLE_MS)
  const body = JSON.stringify({ userIds: Array.from({ length: IDS }, (_, i) => `u${i}`) })

  async function loop(group: string, work: Work, inFlight: number): Promise<Sample> {
    const server = group === 'circles' ? circles.server : reading
    const before = await generator.call('counts', { group })
    await generator.call('closedLoop', { group, work, inFlight })
    const metered = await meterWhile(bench, server, group, ms / 3, ms)
    await generator.call('stop', { group })
    await settle(bench, group)
    await sleep(SETTLE_MS / 4)
    const after = await generator.call('counts', { group })
    return {
      perSecond: (metered.acks / metered.ms) * 1_000,
      us: metered.cpu / metered.acks,
      sqlUs: metered.sql / metered.acks,
      pushes: (after.others - before.others) / (after.acks - before.acks),
    }
  }
  async function bulk(): Promise<Sample> {
    const times: number[] = []
    const { cpu } = await meter(bench, reading, async () => {
      for (const end = performance.now() + ms; performance.now() < end; ) {
        const startedAt = performance.now()
        const status = await post(reading.port, '/users/status/bulk', body)
        if (status !== 200) throw new Error(`bulk presence: ${status}`)
        times.push(performance.now() - startedAt)
      }
    })
    return { ...spread(times), us: cpu / times.length }
  }
  const samples = await interleave(bench, 'state', {
    async marks() {
      const from = LAST_SEQ - STEPS
      await query(marks.database, `UPDATE members SET last_read_seq = ${from}`)
      return loop('marks', { kind: 'mark', chatId: 'c0', from }, READERS)
    },
    presence: () => loop('circles', { kind: 'presence' }, 16),
    bulk,
  })
  for (const group of ['marks', 'circles']) await generator.call('kill', { group })
  await reading.stop()
  await circles.server.stop()

  const [mark, presence, asked] = [medians(samples.marks), medians(samples.presence), medians(samples.bulk)]
  return {
    data: samples,
    costs: {
      markUs: mark.us as number,
      markSqlUs: mark.sqlUs as number,
      presenceUs: presence.us as number,
      presencePushes: presence.pushes as number,
    },
    checks: [],
    tables: [
      {
        title: 'State that is not in the log',
        note: `Read marks: ${READERS} readers in one chat, each with one mark in flight, near the end of ${LAST_SEQ} messages. Presence: 200 people, all connected, each in ten chats of 20, 16 changes in flight.`,
        head: ['', 'a second', 'Node µs each', 'PostgreSQL µs each', 'pushes each'],
        rows: [
          ['read marks', ...figures(mark)],
          ['presence changes', ...figures(presence)],
        ],
      },
      {
        title: `Presence of ${IDS} people in one call (REST, one call at a time)`,
        head: ['p50 ms', 'p99 ms', 'Node µs'],
        rows: [[asked.p50, asked.p99, asked.us] as number[]],
      },
    ],
  }
}

const figures = ({ perSecond, us, sqlUs, pushes }: Sample) =>
  [Math.round(perSecond as number), us, sqlUs, pushes] as number[]
