import type { MemoryClient } from '../doubles/transport.js'
import { START_MS } from './clock.js'
import type { Sent, Standing } from './laws.js'
import type { Node, Peer, Token } from './node.js'
import { judgeSync } from './sync-law.js'
import type { World } from './world.js'

const CONNECT_WITHIN_MS = 10_000
const ACK_WITHIN_MS = 8_000
const RETRY_MS = 500
/** When a server notices that the other side of a connection is not there. */
const HALF_OPEN_MS = 6_000
const LIMITS = [1, 3, 500]

export type Device = ReturnType<typeof createDevice>

/** A device of a user: it connects to some node, sends until it knows that a message is stored, and comes back whenever it is cut off. */
export function createDevice(world: World, userId: string, name: string) {
  const { scheduler, faults, store, laws } = world
  const { random } = scheduler
  let token: Token = { userId, issuedAtMs: START_MS }
  let attempt = 0
  let isIn = false
  let node: Node | undefined
  let client: MemoryClient | undefined
  let standing: Standing | undefined
  let messages = 0
  const pending = new Set<Sent>()
  const acked: Sent[] = []
  /** What the device knows of its chats: of what came last it may have seen nothing. */
  const known = new Map<string, number>()

  /** Has something happen on a node, and not if that is dead. */
  const ask = (on: Node, what: string, run: () => void) => scheduler.after(on.owner, random.delay(1), what, run)
  /** Has the device hear something from a node, if that still lives. */
  const tell = (on: Node, what: string, run: () => void) => scheduler.after(on.owner, random.delay(1), what, run)

  function connectLater(ms = RETRY_MS): void {
    attempt += 1
    const mine = attempt
    isIn = false
    scheduler.after(null, random.delay(ms), `${name} connects`, () => {
      if (mine === attempt) connect()
    })
  }

  function connect(): void {
    const alive = world.alive()
    if (alive.length === 0) {
      connectLater()
      return
    }
    const mine = attempt
    const on = random.pick(alive)
    const peer: Peer = {
      entered(entered, stands) {
        if (mine !== attempt) {
          leaveSilently(on, entered)
          return
        }
        isIn = true
        node = on
        client = entered
        standing = stands
      },
      refused(code) {
        if (mine !== attempt) return
        if (code === 'UNAUTHENTICATED') token = { userId, issuedAtMs: START_MS + Math.floor(scheduler.now()) + 5 }
        connectLater()
      },
      gone(left) {
        if (left === client) lost()
      },
    }
    ask(on, `${name} arrives`, () => on.arrive(token, peer))
    scheduler.after(null, CONNECT_WITHIN_MS, `${name} gives up`, () => {
      if (mine === attempt && !isIn) connectLater()
    })
  }

  /** The connection is gone: what was on the way is not known here. */
  function lost(): void {
    if (!isIn) return
    for (const [chatId, revision] of standing?.at ?? []) known.set(chatId, Math.max(1, revision - random.below(4)))
    client = undefined
    connectLater()
  }

  function leaveSilently(on: Node, left: MemoryClient): void {
    scheduler.after(on.owner, HALF_OPEN_MS, 'a silent connection ends', () => on.transport.drop(left))
  }

  /** Where a command goes: as a rule over the connection, else by REST to any node. */
  function door(): Node | undefined {
    if (isIn && node && !node.owner.isDead && random.chance(0.8)) return node
    const alive = world.alive()
    return alive.length > 0 ? random.pick(alive) : undefined
  }

  function send(sent: Sent): void {
    const on = door()
    let isAnswered = false
    const again = (ms: number) => {
      if (isAnswered) return
      isAnswered = true
      patience.isOff = true
      if (pending.has(sent)) scheduler.after(null, random.delay(ms), `${name} sends again`, () => send(sent))
    }
    const patience = scheduler.after(null, ACK_WITHIN_MS, `${name} waits no longer`, () => again(1))
    if (!on) return
    const { chatId, key, content } = sent
    ask(on, 'send_message', () => {
      on.command(() => on.log.append({ chatId, senderId: userId, clientMessageId: key, content })).then(
        ({ message }) =>
          tell(on, 'ack', () => {
            isAnswered = true
            patience.isOff = true
            laws.acked(sent, message)
            // Also who has its answer may ask again.
            if (pending.delete(sent)) acked.push(sent)
          }),
        (error: { code?: string }) =>
          tell(on, 'refusal', () => {
            if (error.code === 'NOT_FOUND') pending.delete(sent)
            again(RETRY_MS)
          }),
      )
    })
  }

  function sendNew(): void {
    const chatIds = [...(standing?.at.keys() ?? [])]
    if (chatIds.length === 0 || pending.size > 8) return
    messages += 1
    const key = `${name}-${messages}`
    const sent: Sent = { userId, chatId: random.pick(chatIds), key, content: `text ${key}` }
    pending.add(sent)
    send(sent)
  }

  function sendOld(): void {
    const sent = acked[random.below(acked.length)]
    if (!sent) return
    send(sent)
  }

  function edit(): void {
    const messageId = acked[random.below(acked.length)]?.messageId
    const on = door()
    if (!messageId || !on) return
    const author = { userId, isByService: false }
    ask(on, 'edit_message', () => {
      on.command(() => on.log.edit(author, messageId, { content: `edit ${random.below(3)}` })).catch(() => {})
    })
  }

  function sync(): void {
    const on = door()
    if (!on || known.size === 0) return
    const after = Object.fromEntries(known)
    const limit = random.pick(LIMITS)
    const heads = new Map([...store.chats].map(([id, { lines }]) => [id, lines.length]))
    ask(on, 'sync', () => {
      on.log.sync(userId, { chats: after, limit }).then(
        (answer) => judgeSync(laws, store, { userId, after, limit, heads }, answer),
        () => {},
      )
    })
  }

  function choose(): void {
    const on = door()
    const status = random.pick(['online', 'away', 'dnd'] as const)
    if (on) ask(on, 'set_presence', () => void on.presence.setStatus(userId, status).catch(() => {}))
  }

  function drop(): void {
    const [on, left] = [node, client]
    if (!isIn || !on || !left) return
    if (random.chance(0.3)) leaveSilently(on, left)
    else if (random.chance(0.2)) ask(on, 'logout', () => on.sessions.logout(left))
    else ask(on, 'disconnect', () => on.transport.drop(left))
    lost()
  }

  return {
    name,
    userId,
    pending,
    connect: (): void => connectLater(10),
    standing: () => (isIn ? standing : undefined),
    drop,

    /** Its node is dead: sooner or later it notices. */
    nodeDied(dead: Node): void {
      if (isIn && node === dead)
        scheduler.after(null, random.delay(300), `${name} is cut off`, () => node === dead && lost())
    },

    /** Does something that people do. */
    act(): void {
      const what = random.next()
      if (what < 0.7) sendNew()
      else if (what < 0.78) sendOld()
      else if (what < 0.88) edit()
      else if (what < 0.94) sync()
      else choose()
    },

    /** Has its user look otherwise than before; answers nothing, for that is told to all. */
    flip(status: 'online' | 'away' | 'dnd'): void {
      const on = node
      if (isIn && on) ask(on, 'set_presence', () => void on.presence.setStatus(userId, status).catch(() => {}))
    },

    deviceMs: () => faults.deviceMs,
  }
}
