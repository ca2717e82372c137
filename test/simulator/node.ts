import { ChatError } from '../../contract/errors.js'
import { createRemoteBus } from '../../services/bus/remote.js'
import { createFeed } from '../../services/feed/index.js'
import { drain } from '../../services/hub/drain.js'
import { createHub } from '../../services/hub/index.js'
import { createLog } from '../../services/log/index.js'
import { createNet } from '../../services/log/net.js'
import { createRecent } from '../../services/log/recent.js'
import type { Logger } from '../../services/logger.js'
import { createPresence } from '../../services/presence/index.js'
import { createVisibility } from '../../services/presence/visibility.js'
import { createAccounts } from '../../services/session/accounts.js'
import { createSessions, type Session } from '../../services/session/index.js'
import { createBlocks } from '../../services/users/blocks.js'
import { createEnds } from '../../services/users/ends.js'
import { createUsers } from '../../services/users/index.js'
import { type MemoryClient, MemoryTransport } from '../doubles/transport.js'
import type { createPost } from './carrier.js'
import type { Standing } from './laws.js'
import type { SharedLeases } from './leases.js'
import { createDatabasePort, createLeasePort } from './ports.js'
import { createOwner } from './scheduler.js'
import type { World } from './world.js'

export const LEASE_MS = 12_000
export const GRACE_MS = 3_000
const DRAIN_MS = 500
const LOOK_MS = 5
const MAX_MEMBERS = 200
const MAX_CHATS = 1_000
const MAX_SOCKETS = 4

/** A token: whose, and since when. */
export interface Token {
  userId: string
  issuedAtMs: number
}

/** Who is on the other side of a connection. */
export interface Peer {
  /** The connection is there. */
  entered(client: MemoryClient, standing: Standing): void
  /** It cannot be, or not now. */
  refused(code: string): void
  /** It is there no longer. */
  gone(client: MemoryClient): void
}

interface Connection {
  session: Session
  peer: Peer
  standing: Standing
}

export type Node = ReturnType<typeof createNode>

/** One node: the services as `plugins/services.ts` wires them, over simulated ports. */
export function createNode(world: World, name: string, post: ReturnType<typeof createPost>, leases: SharedLeases) {
  const { scheduler, laws } = world
  const owner = createOwner(name)
  const note = (fields: object, message = '') => {
    const { err } = fields as { err?: Error }
    scheduler.note(`${name}: ${message}`, err && { error: err.message })
  }
  const logger: Logger = { debug: () => {}, info: note, warn: note, error: note }
  const connections = new Map<MemoryClient, Connection>()

  return scheduler.as(owner, () => {
    const transport = new MemoryTransport(`${name}-`)
    const db = createDatabasePort(world, owner)
    const bus = createRemoteBus({ carrier: post.carrierOf(owner), logger })
    const hub = createHub({ transport, logger })
    const users = createUsers(db)
    const log = createLog({ db, bus, maxChatsPerUser: MAX_CHATS, maxMembers: MAX_MEMBERS, hasSearch: false, logger })
    const blocks = createBlocks({ db, bus, hub, logger })
    const net = world.faults.hasNet ? createNet({ look: createRecent(db), bus, logger }) : undefined
    const ends = net && createEnds({ db, bus, logger })
    const feed = createFeed({ log, hub, bus, ...(net && { net }), logger })
    const presence = createPresence({
      leases: createLeasePort(world, owner, leases.of(owner, hub.clients)),
      visibility: createVisibility(db),
      blocks,
      users,
      bus,
      hub,
      logger,
      graceMs: GRACE_MS,
      leaseMs: LEASE_MS,
      maxMembers: MAX_MEMBERS,
    })
    const authenticate = createAccounts({ users, autoCreate: false, logger })
    const sessions = createSessions({
      async identify(token) {
        const { userId, issuedAtMs } = token as Token
        const rest = { name: null, avatarUrl: null, isService: false, expiresAtMs: null, payload: {} }
        const user = await authenticate({ userId, issuedAtMs, ...rest })
        return { kind: 'user', user, expiresAtMs: null, issuedAtMs }
      },
      limits: { connect: () => {} },
      log,
      users,
      hub,
      bus,
      ...(net && { net }),
      feed,
      presence,
      blocks,
      ownSettings: { retellSince() {} },
      logger,
      maxSocketsPerUser: MAX_SOCKETS,
    })

    transport.onGone((client) => {
      const connection = connections.get(client)
      if (!connection) return
      connections.delete(client)
      laws.standings.delete(connection.standing)
      sessions.leave(connection.session)
      connection.peer.gone(client)
    })

    function enter(session: Session, peer: Peer): void {
      const client = transport.connect(session.userId)
      const standing = laws.connect(session.userId, owner)
      // What is pushed is judged, and not kept.
      client.told.push = (...deliveries) => {
        if (owner.doom > 0) world.reachOut(owner)
        if (owner.isDead) return 0
        for (const delivery of deliveries) laws.hear(standing, delivery)
        return 0
      }
      connections.set(client, { session, peer, standing })
      sessions.enter(session, client)
      if (session.client && !owner.isDead) peer.entered(client, standing)
    }

    let commands = 0
    let isDraining = false

    return {
      owner,
      name,
      log,
      hub,
      feed,
      users,
      presence,
      sessions,
      transport,
      connections,

      /** Somebody comes with a token: what becomes of that, the peer hears. */
      arrive(token: Token, peer: Peer): void {
        let isTurnedAway = false
        const refuse = (code: string) => {
          isTurnedAway = true
          scheduler.after(owner, scheduler.random.delay(1), 'refusal', () => peer.refused(code))
        }
        sessions
          .arrive(token, () => refuse('DISCONNECTED'))
          .then(
            (session) =>
              scheduler.after(owner, scheduler.random.delay(1), 'enter', () => {
                if (isTurnedAway) sessions.leave(session)
                else enter(session, peer)
              }),
            (error: { code?: string }) => refuse(error.code ?? 'INTERNAL'),
          )
      },

      /** Runs a command, as the Binder does: none begins on a node that stops, which waits for those that have begun. */
      async command<T>(run: () => Promise<T>): Promise<T> {
        if (isDraining) throw new ChatError('DRAINING')
        commands += 1
        try {
          return await run()
        } finally {
          commands -= 1
        }
      },

      /** Stops as a process does that is asked to. */
      async stop(): Promise<void> {
        sessions.drain()
        isDraining = true
        while (commands > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
        await drain(hub, DRAIN_MS)
        hub.stop()
        blocks.stop()
        net?.stop()
        await sessions.stop()
        await ends?.stop()
        feed.stop()
        await presence.stop()
        await log.stop()
        await bus.stop()
      },
    }
  })
}
