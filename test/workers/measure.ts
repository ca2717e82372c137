import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  API_KEY,
  type ClientSocket,
  collect,
  connect,
  inSeconds,
  must,
  SECRET,
  type Service,
  sign,
  tempDir,
} from '../helper.js'
import { createDatabase } from '../helpers/postgres.js'
import { startServer } from '../helpers/process.js'
import { startMachine } from './machine.js'

// What workers cost: one process and two workers in turn, under the same load. `node dist/test/workers/measure.js [rounds]`

const CLIENTS = 24
/** Members of a chat. */
const SIZES = [24, 4]
const LOAD_MS = 5_000
const rounds = Number(process.argv[2] ?? 3)

interface Figures {
  sends: number
  deliveries: number
  /** CPU of all the service's processes, in µs a delivery. */
  cpu: number
  /** Resident memory of a process that serves, with the clients in it. */
  mb: number
}

const cpuNsOf = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
const mbOf = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

async function start(t: Test, workers: number) {
  const DATABASE_URL = await createDatabase(t)
  if (workers > 1) {
    const { service, parent, workers: serving } = await startMachine(t, workers, { DATABASE_URL })
    const pids = [...serving().values()]
    return { service, pids: [parent.pid as number, ...pids], serving: pids }
  }
  const env = { JWT_SECRET: SECRET, SERVICE_API_KEYS: API_KEY, AUTO_CREATE_USERS: 'true', CHAT_CREATION: 'users' }
  const more = { DATABASE_URL, LOG_LEVEL: 'info', MAX_LOOP_DELAY_MS: '0', TMPDIR: tempDir(t) }
  const { child, url } = await startServer(t, { ...env, ...more })
  const token = (userId: string) => sign({ sub: userId, exp: inSeconds(600) })
  const pids = [child.pid as number]
  return { service: { url, token } as Service, pids, serving: pids }
}

async function measure(t: Test, workers: number, transports: string[], size: number): Promise<Figures> {
  const { service, pids, serving } = await start(t, workers)
  const people: { socket: ClientSocket; heard: unknown[] }[] = []
  for (let i = 0; i < CLIENTS; i += 1) {
    const { socket } = await connect(t, service, `user-${i}`, { transports })
    people.push({ socket, heard: collect(socket, 'new_message') })
  }
  const chatIds: string[] = []
  for (let at = 0; at < CLIENTS; at += size) {
    const memberIds = Array.from({ length: size - 1 }, (_, i) => `user-${at + 1 + i}`)
    const owner = people[at]?.socket
    if (!owner) throw new Error('nobody')
    const { chat } = await must(owner, 'create_chat', { type: 'group', title: 'all', memberIds })
    for (let i = 0; i < size; i += 1) chatIds.push(chat.chatId)
  }
  const cpu = () => pids.reduce((sum, pid) => sum + cpuNsOf(pid), 0)
  const [cpuBefore, endMs] = [cpu(), performance.now() + LOAD_MS]
  let sends = 0
  const loop = async ({ socket }: { socket: ClientSocket }, i: number) => {
    const chatId = chatIds[i] ?? ''
    while (performance.now() < endMs) {
      await must(socket, 'send_message', { chatId, content: 'x'.repeat(20) })
      sends += 1
    }
  }
  await Promise.all(people.map(loop))
  const deliveries = people.reduce((sum, { heard }) => sum + heard.length, 0)
  const mb = serving.reduce((sum, pid) => sum + mbOf(pid), 0) / serving.length
  for (const { socket } of people) socket.disconnect()
  return {
    sends: sends / (LOAD_MS / 1_000),
    deliveries: deliveries / (LOAD_MS / 1_000),
    cpu: (cpu() - cpuBefore) / 1_000 / deliveries,
    mb,
  }
}

t.setTimeout(0)
for (const transports of [['websocket'], ['polling']]) {
  for (const size of SIZES) {
    for (let round = 0; round < rounds; round += 1) {
      for (const workers of round % 2 ? [2, 1] : [1, 2]) {
        await t.test(`${transports} ${size} ${workers}`, async (t) => {
          const { sends, deliveries, cpu, mb } = await measure(t, workers, transports, size)
          const rates = `${sends.toFixed(0)} sends/s, ${deliveries.toFixed(0)} deliveries/s`
          const costs = `${cpu.toFixed(1)} µs of CPU a delivery, ${mb.toFixed(0)} MB a process`
          t.comment(`${transports}, chats of ${size}, ${workers} worker(s): ${rates}, ${costs}`)
        })
      }
    }
  }
}
