import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, settle, type Table } from '../lib/bench.js'
import { SECRET } from '../lib/secrets.js'
import { layout, type Membership } from '../lib/seed.js'
import { type Server, tempDir } from '../lib/servers.js'
import { sign } from '../lib/token.js'
import { openFanout, orders } from './fanout.js'
import { openSender } from './sends.js'

const TOP = 18
const MS = 3_000
const CONNECTS = 2_500
const LARGE_CHATS = 200

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/** The functions in which most time was spent themselves. */
function topOf(path: string): [string, number][] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url.replace(/^.*\/(node_modules|dist)\//, '').replace(/^file:\/\//, '')
      return [id, `${functionName || '(anonymous)'}${place && ` ${place}:${lineNumber + 1}`}`]
    }),
  )
  const self = new Map<string, number>()
  let busy = 0
  samples.forEach((id, i) => {
    const name = names.get(id) ?? ''
    // What waits, and what the profiler itself does.
    if (name === '(idle)' || name === 'dispatch') return
    busy += timeDeltas[i] ?? 0
    self.set(name, (self.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  })
  return [...self]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, us]) => [name, us / busy])
}

async function record(bench: Bench, title: string, server: Server, work: () => Promise<unknown>): Promise<Table> {
  const path = join(tempDir(bench.owner), 'profile.cpuprofile')
  bench.progress(`profile: ${title}`)
  await work()
  await server.call('startProfile')
  await work()
  await server.call('stopProfile', { path })
  const rows = topOf(path).map(([name, share]) => [name, `${(share * 100).toFixed(1)} %`])
  return { title: `Profile: ${title}`, head: ['function', 'self'], rows }
}

/** What sends leave behind that only a major collection takes away. */
async function survivors({ generator, progress }: Bench, server: Server, group: string): Promise<Table> {
  progress('profile: what survives minor collections')
  await server.call('startHeap')
  const { acks: before } = await generator.call('counts', { group })
  await sleep(MS)
  const { acks } = await generator.call('counts', { group })
  const bytes = (await server.call('stopHeap')) as number
  const rows = [['bytes a send', Math.round(bytes / (acks - before))]]
  return { title: 'What survives minor collections: sends, 64 in flight', head: ['', ''], rows }
}

/** Where the time goes: the functions with most time of their own, while the loop is not idle. */
export async function profile(bench: Bench): Promise<CaseResult> {
  const tables: Table[] = []
  const servers = await openFanout(bench)
  for (const peer of ['feed', 'ours'] as const) {
    for (const burst of [1, 16, 64]) {
      const server = servers[peer] as Server
      const fan = () => bench.generator.call('fan', orders(peer, server, { size: 500, rooms: 1, burst }, MS))
      tables.push(await record(bench, `room of 500, ${peer}, bursts of ${burst}`, server, fan))
    }
  }
  for (const server of Object.values(servers)) await server.stop()

  const users = Array.from({ length: 100 }, (_, i) => `u${i * 20}`)
  const { server } = await openSender(bench, 'ours with search', layout(100, 20), users)
  const group = 'ours with search'
  const work = { kind: 'send' as const, chats: users.map((_, i) => [`c${i}`]), bytes: 120 }
  await bench.generator.call('closedLoop', { group, work, inFlight: 1_000 })
  tables.push(await record(bench, 'sends, 1,000 in flight', server, () => sleep(MS)))
  await bench.generator.call('stop', { group })
  await settle(bench, group)
  await bench.generator.call('closedLoop', { group, work, inFlight: 64 })
  tables.push(await survivors(bench, server, group))
  await server.stop()

  // Half of them connect before the profile begins.
  const people = Array.from({ length: CONNECTS * 2 }, (_, i) => `u${i}`)
  const chats = people.flatMap((userId, i) =>
    Array.from({ length: 10 }, (_, k): Membership => [`c${(i + k) % LARGE_CHATS}`, userId]),
  )
  const door = await openSender(bench, 'ours', chats, [], 'people')
  const hellos = people.map((userId) => JSON.stringify({ token: sign(userId, SECRET) }))
  const connect = () =>
    bench.generator.call('open', {
      group: 'people',
      protocol: 'socket.io',
      port: door.server.port,
      hellos: hellos.splice(0, CONNECTS),
      parallel: 100,
    })
  tables.push(await record(bench, 'connecting, in ten chats each', door.server, connect))
  await door.server.stop()
  return { tables, checks: [], data: null }
}
