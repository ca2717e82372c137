import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

// A process of its own that attacks a server, as `flood-attacks.ts` says.

/** What an attacker does: `pour` frames over sockets that have joined, or not; open sockets or TCP connections, and say nothing; read nothing. */
export interface Plan {
  kind: 'pour' | 'idle' | 'silent' | 'slow' | 'handshakes'
  url: string
  /** One socket for each; without a token it joins nothing. */
  tokens: (string | null)[]
  /** Frames that are sent in turn; `#` stands for a number that was not sent before. */
  frames: string[]
  /** Frames a second of all sockets together. */
  rate: number
}

/** What became of it; times in milliseconds, null where nothing was to be timed. */
export interface Outcome {
  sent: number
  refused: number
  /** Sockets that were ended. */
  ended: number
  sockets: number
  /** From a socket's 100th refusal to its end, at most. */
  outMs: number | null
  /** From the 100th refusal of a socket that is still there to the end of the attack, at most. */
  stillInMs: number | null
  /** From a socket's first frame to its end, at most. */
  livedMs: number | null
}

const TICK_MS = 5
const MAX_UNSENT_BYTES = 1_048_576
const ENOUGH_REFUSALS = 100
const ADDRESSES = 200

const outcome: Outcome = { sent: 0, refused: 0, ended: 0, sockets: 0, outMs: null, stillInMs: null, livedMs: null }
const refusedEnough = new Set<Attacker>()
const most = (known: number | null, ms: number) => Math.max(known ?? 0, Math.round(ms))
let stopped = false

/** Addresses of this machine beyond the one that everybody else here has. */
const addressOf = (i: number) => `127.0.1.${1 + (i % ADDRESSES)}`

interface Attacker {
  ws: WebSocket
  firstAt: number | null
  refused: number
  enoughAt: number | null
}

function open({ url }: Plan, token: string | null, i: number): Promise<Attacker | null> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    localAddress: addressOf(i),
    perMessageDeflate: false,
  })
  const attacker: Attacker = { ws, firstAt: null, refused: 0, enoughAt: null }
  outcome.sockets += 1
  return new Promise((resolve) => {
    ws.on('error', () => {})
    ws.on('close', () => {
      if (stopped) return
      const now = performance.now()
      outcome.ended += 1
      refusedEnough.delete(attacker)
      if (attacker.enoughAt !== null) outcome.outMs = most(outcome.outMs, now - attacker.enoughAt)
      if (attacker.firstAt !== null) outcome.livedMs = most(outcome.livedMs, now - attacker.firstAt)
      resolve(null)
    })
    ws.on('message', (data) => {
      const text = String(data)
      if (text === '2') ws.send('3')
      else if (text.startsWith('0')) token === null ? resolve(attacker) : ws.send(`40${JSON.stringify({ token })}`)
      else if (text.startsWith('40{')) resolve(attacker)
      else if (text.startsWith('43') && text.includes('"ok":false')) refuse(attacker)
    })
  })
}

function refuse(attacker: Attacker): void {
  outcome.refused += 1
  attacker.refused += 1
  if (attacker.refused !== ENOUGH_REFUSALS) return
  attacker.enoughAt = performance.now()
  refusedEnough.add(attacker)
}

async function openAll(plan: Plan): Promise<Attacker[]> {
  const attackers: Attacker[] = []
  for (let at = 0; at < plan.tokens.length; at += 50) {
    const some = plan.tokens.slice(at, at + 50).map((token, i) => open(plan, token, at + i))
    for (const attacker of await Promise.all(some)) if (attacker) attackers.push(attacker)
  }
  return attackers
}

async function pour({ frames, rate }: Plan, attackers: Attacker[]): Promise<void> {
  let number = 0
  for (let lastAt = performance.now(); !stopped; await sleep(TICK_MS)) {
    const now = performance.now()
    const due = Math.min(rate, Math.ceil((rate * (now - lastAt)) / 1_000))
    lastAt = now
    const living = attackers.filter(({ ws }) => ws.readyState === WebSocket.OPEN)
    for (let i = 0; i < due && living.length > 0; i += 1) {
      const attacker = living[i % living.length] as Attacker
      if (attacker.ws.bufferedAmount > MAX_UNSENT_BYTES) continue
      number += 1
      attacker.firstAt ??= performance.now()
      attacker.ws.send((frames[number % frames.length] as string).replaceAll('#', String(number)))
      outcome.sent += 1
    }
  }
}

/** Asks for more than it reads, which is nothing. */
async function stall({ frames }: Plan, attackers: Attacker[]): Promise<void> {
  for (const { ws } of attackers) {
    ws.pause()
    for (const frame of frames) ws.send(frame)
    outcome.sent += frames.length
  }
}

/** Connections that say nothing, and come again. */
async function silent({ url, tokens }: Plan): Promise<void> {
  const port = Number(new URL(url).port)
  for (const i of tokens.keys()) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(i) })
    outcome.sockets += 1
    socket
      .on('error', () => {})
      .on('close', () => {
        outcome.ended += 1
      })
  }
}

/** Handshakes of one address, each after the one before. */
async function shakeHands({ url }: Plan): Promise<void> {
  const once = async () => {
    for (; !stopped; await sleep(1)) {
      const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
        localAddress: addressOf(0),
      })
      outcome.sent += 1
      await new Promise<void>((resolve) => {
        ws.on('error', () => {
          outcome.refused += 1
          resolve()
        })
        ws.on('open', () => resolve())
      })
      ws.terminate()
    }
  }
  await Promise.all(Array.from({ length: 8 }, once))
}

async function attack(plan: Plan): Promise<void> {
  const attackers = plan.kind === 'silent' || plan.kind === 'handshakes' ? [] : await openAll(plan)
  process.send?.('begun')
  if (plan.kind === 'pour') await pour(plan, attackers)
  if (plan.kind === 'slow') await stall(plan, attackers)
  if (plan.kind === 'silent') await silent(plan)
  if (plan.kind === 'handshakes') await shakeHands(plan)
}

process.on('message', (message: Plan | 'stop') => {
  if (message !== 'stop') return void attack(message)
  stopped = true
  for (const { enoughAt } of refusedEnough) {
    outcome.stillInMs = most(outcome.stillInMs, performance.now() - (enoughAt ?? 0))
  }
  process.send?.(outcome, () => process.exit())
})
process.once('disconnect', () => process.exit())
