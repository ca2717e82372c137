import { connect, type Socket } from 'node:net'
import { textFrame } from './frames.js'
import type { Group } from './group.js'

export interface FanOptions {
  group: string
  /** What makes a server send: a line for its control port (or a NATS publication), or frames of some clients. */
  trigger: { port: number; text: string } | { sends: [client: number, text: string][] }
  /** Deliveries (for NATS bytes) that one trigger makes. */
  expect: number
  unit: 'events' | 'bytes'
  ms: number
}

const ROUND_MS = 30_000
const controls = new Map<number, Promise<Socket>>()

function control(port: number): Promise<Socket> {
  let opening = controls.get(port)
  if (!opening) {
    opening = new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
      socket.resume().once('error', reject)
      socket.once('close', () => controls.delete(port))
    })
    controls.set(port, opening)
  }
  return opening
}

/** Triggers, waits until all is delivered, and triggers again, for some time. */
export async function fan(group: Group, options: FanOptions): Promise<{ rounds: number; ms: number }> {
  const { trigger, expect, unit, ms } = options
  const fire = await prepare(group, trigger)
  const startedAt = performance.now()
  let rounds = 0
  while (performance.now() - startedAt < ms) {
    await round(group, unit, expect, fire)
    rounds += 1
  }
  return { rounds, ms: performance.now() - startedAt }
}

async function prepare(group: Group, trigger: FanOptions['trigger']): Promise<() => void> {
  if ('port' in trigger) {
    const socket = await control(trigger.port)
    const bytes = Buffer.from(trigger.text)
    return () => void socket.write(bytes)
  }
  const sends = trigger.sends.map(([client, text]) => ({ client, frame: textFrame(text) }))
  return () => {
    for (const { client, frame } of sends) group.clients[client]?.socket.write(frame)
  }
}

function round(group: Group, unit: 'events' | 'bytes', expect: number, fire: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const target = group[unit] + expect
    const timer = setTimeout(() => {
      reject(new Error(`${target - group[unit]} of ${expect} ${unit} missing: ${JSON.stringify(group.counts())}`))
    }, ROUND_MS)
    group.onCount = () => {
      if (group[unit] < target) return
      group.onCount = null
      clearTimeout(timer)
      resolve()
    }
    fire()
  })
}
