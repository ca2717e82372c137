import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import { io } from 'socket.io-client'
import { serviceScope } from '../app.js'
import { Refusal, run } from '../cli/run.js'
import type { ChatSocket } from '../client/src/stock.js'
import type { Presence } from '../client/src/wire.js'
import { must, next } from './socket.js'

const START_TIMEOUT_MS = 60_000
const say = (line = '') => void process.stdout.write(`${line}\n`)

/** Starts the service, lets two stock clients talk, asks the presence routes, stops; its text is what happened. */
await run(async () => {
  const given = process.argv[2] ?? process.env.DATA_DIR
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'chat-demo-'))
  const host = Fastify({
    pluginTimeout: START_TIMEOUT_MS,
    logController: new LogController({ disableRequestLogging: true }),
  })
  try {
    say(`Starting the service in ${given ? dataDir : 'a temporary folder'} …`)
    const { app } = await serviceScope(host, { nodeEnv: 'development', dataDir, presenceGraceMs: 300, drainMs: 0 })
    await host.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`
    say(`It listens on ${url}`)
    await talk(url, (userId) => app.auth.sign({ sub: userId, exp: Math.floor(Date.now() / 1_000) + 60 }))
  } finally {
    await host.close()
    if (!given) rmSync(dataDir, { recursive: true, force: true })
  }
  say()
  say('✅ Stopped; everything was as it should be.')
})

async function talk(url: string, sign: (userId: string) => string): Promise<void> {
  const alice = await connect(url, 'alice', sign('alice'))
  const bob = await connect(url, 'bob', sign('bob'))
  const direct = alice.session.chats.find(({ type }) => type === 'direct')
  if (!direct) throw new Refusal('Alice and Bob have no chat with each other.')
  const { chatId } = direct
  await showPresence(url)

  say()
  const typing = next(bob.socket, 'typing')
  await must(alice.socket, 'typing', { chatId, isTyping: true })
  say(`Bob sees:   ${(await typing).userId} is typing`)
  const heard = next(bob.socket, 'new_message')
  const lunch = { chatId, content: 'Lunch at one?', clientMessageId: `demo ${Date.now()}` }
  const sent = await must(alice.socket, 'send_message', lunch)
  say(`Alice:      ${lunch.content}   (acknowledged as #${sent.message.seq}: it is in the database)`)
  const { id, content } = await heard
  check(id === sent.message.id, 'Bob heard another message than Alice sent.')
  say(`Bob hears:  ${content}`)

  const again = await must(alice.socket, 'send_message', lunch)
  check(again.duplicate && again.message.id === id, 'A retry made a second message.')
  say('Alice sends it again with the same key: found, not stored twice')

  const read = next(alice.socket, 'messages_read')
  await must(bob.socket, 'mark_as_read', { messageIds: [id] })
  say(`Alice sees: ${(await read).userId} has read up to #${(await read).lastReadSeq}`)
  const answer = next(alice.socket, 'new_message')
  await must(bob.socket, 'send_message', { chatId, content: 'See you there. 👋' })
  say(`Bob:        ${(await answer).content}`)

  say()
  const gone = next(alice.socket, 'user_status_change', ({ userId, isOnline }) => userId === 'bob' && !isOnline)
  bob.socket.disconnect()
  say('Bob closes his laptop.')
  check((await gone).status === 'offline', 'Bob is gone, but not offline.')
  say('Alice sees: bob is offline')
  await showPresence(url)
  alice.socket.disconnect()
}

async function connect(url: string, userId: string, token: string) {
  const socket: ChatSocket = io(url, { auth: { token }, forceNew: true, reconnection: false, autoConnect: false })
  const refused = new Promise<never>((_resolve, reject) =>
    socket.once('connect_error', (error) => reject(new Refusal(`${userId} could not connect: ${error.message}`))),
  )
  const session = next(socket, 'session')
  socket.connect()
  const who = await Promise.race([session, refused])
  say(`✅ ${who.user.name} is connected, with ${who.chats.length} chats`)
  return { socket, session: who }
}

async function showPresence(url: string): Promise<void> {
  const online = await call<{ count: number; users: Presence[] }>(`${url}/users/online`)
  const bulk = await call<{ statuses: Presence[] }>(`${url}/users/status/bulk`, { userIds: ['bob', 'carol'] })
  const bob = await call<Presence>(`${url}/users/bob/status`)
  say()
  say(`GET  /users/online       ${online.count}: ${online.users.map(({ userId }) => userId).join(', ')}`)
  say(`GET  /users/bob/status   ${bob.status}, last seen ${bob.lastSeenAt ?? 'never'}`)
  say(`POST /users/status/bulk  ${bulk.statuses.map(({ userId, status }) => `${userId} ${status}`).join(', ')}`)
}

async function call<T>(url: string, body?: object): Promise<T> {
  const asJson = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url, body && asJson)
  if (!response.ok) throw new Refusal(`${url} answered ${response.status}.`)
  return (await response.json()) as T
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Refusal(otherwise)
}
