import type { Client } from './client.js'
import { createFrames, type Work } from './commands.js'
import type { Group } from './group.js'

/** A load that runs until it is stopped. */
export interface Loop {
  stop(): { ackMs: number[]; deliverMs: number[]; late: number }
}

/** Keeps so many commands in flight: each ack lets the same client go on. */
export function closedLoop(group: Group, work: Work, inFlight: number): Loop {
  const next = createFrames(work)
  const index = new Map(group.clients.map((client, i) => [client, i]))
  const ids: number[] = []
  let running = true

  function send(client: Client): void {
    const i = index.get(client) as number
    ids[i] = (ids[i] ?? 0) + 1
    client.socket.write(next(i, ids[i]))
  }

  group.onAck = (client) => {
    if (running) send(client)
  }
  for (let i = 0; i < inFlight; i++) send(group.clients[i % group.clients.length] as Client)
  return {
    stop() {
      running = false
      return { ackMs: [], deliverMs: [], late: 0 }
    },
  }
}

const TICK_MS = 2
const STAMP = Buffer.from('"content":"t')
const MAX_SAMPLES = 200_000
/** Of so many clients one is timed: to time all would take the servers' cores. */
const TIMED = 5

/** Sends at a rate, whatever comes back, and takes the time to the acks and deliveries of some clients. */
export function openLoop(group: Group, work: Work, rate: number, senders: number): Loop {
  const next = createFrames(work)
  const sentAt = group.clients.map((_, i) => (i % TIMED === 0 ? new Map<number, number>() : undefined))
  const index = new Map(group.clients.map((client, i) => [client, i]))
  const ackMs: number[] = []
  const deliverMs: number[] = []
  const startedAt = performance.now()
  let sent = 0
  let late = 0
  for (const [i, client] of group.clients.entries()) client.reader.whole = i % TIMED === 0

  group.onAck = (client, buffer, start) => {
    if (!client.reader.whole) return
    const id = Number(buffer.toString('latin1', start + 2, buffer.indexOf('[', start)))
    const times = sentAt[index.get(client) as number]
    const time = times?.get(id)
    if (time === undefined) return
    times?.delete(id)
    if (ackMs.length < MAX_SAMPLES) ackMs.push(performance.now() - time)
  }
  group.onEvent = (client, buffer, start, length) => {
    if (!client.reader.whole) return
    const at = buffer.subarray(start, start + length).indexOf(STAMP)
    if (at < 0 || deliverMs.length >= MAX_SAMPLES) return
    const from = start + at + STAMP.length
    deliverMs.push(performance.now() - Number(buffer.toString('latin1', from, buffer.indexOf(' ', from))))
  }

  const timer = setInterval(() => {
    const now = performance.now()
    const due = Math.floor(((now - startedAt) * rate) / 1_000)
    if (due - sent > (rate * 10) / 1_000) late += 1
    for (; sent < due; sent++) {
      const i = sent % senders
      sentAt[i]?.set(sent, now)
      group.clients[i]?.socket.write(next(i, sent, `t${now.toFixed(3)} `))
    }
  }, TICK_MS)

  return {
    stop() {
      clearInterval(timer)
      group.onAck = null
      group.onEvent = null
      for (const client of group.clients) client.reader.whole = false
      return { ackMs, deliverMs, late }
    },
  }
}
