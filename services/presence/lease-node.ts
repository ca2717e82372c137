import { randomUUID } from 'node:crypto'
import type { Database } from '../db/index.js'
import type { LeaseChange } from './lease-queue.js'
import { APPLY, ENTER } from './lease-statements.js'
import type { LeasesOptions, PresenceRecord } from './leases.js'
import type { PartedUsers } from './parted-users.js'

export interface LeaseNodeOptions extends Pick<LeasesOptions, 'leaseMs' | 'connections'> {
  run: Database['run']
  /** The clock of a test, or null. */
  now(): number | null
  parted: Pick<PartedUsers, 'all'>
  /** Whether a connection's opening waits, and will be told of by itself. */
  isOpening(connectionId: string): boolean
  /** How many connections a user may have, on all nodes. */
  maxConnections: number
  /** Hears which connections of a user are too many, the oldest; they may be on any node. */
  onCrowded(userId: string, connectionIds: string[]): void
}

const REOPEN_STEP = 1_000

interface Applied {
  isKnown: boolean
  changed: PresenceRecord[]
  crowded: [userId: string, connectionId: string][]
}

/** This node in the lease store: known there by an id of its own, and by another when the store has forgotten it. */
export function createLeaseNode(options: LeaseNodeOptions) {
  const { run, leaseMs, connections, now, parted, isOpening, maxConnections, onCrowded } = options
  let node: string | undefined
  let hasBeenThere = false

  async function apply(changes: LeaseChange[]): Promise<PresenceRecord[]> {
    const anew = node ? [] : await enter(changes)
    const applied = await write(node, changes, false)
    if (applied) return [...anew, ...applied]
    node = undefined
    return [...anew, ...(await enter(changes)), ...((await write(node, changes, false)) ?? [])]
  }

  /** Stores changes as a node; undefined when that one is not known any more. */
  async function write(
    asNode: string | undefined,
    changes: LeaseChange[],
    isAgain: boolean,
  ): Promise<PresenceRecord[] | undefined> {
    const opens = changes.filter(({ graceMs }) => graceMs === null)
    const closes = changes.filter(({ graceMs }) => graceMs !== null)
    const [applied] = await run<Applied>('presence_apply', APPLY, [
      asNode,
      JSON.stringify(opens.map(({ connectionId, userId }) => [connectionId, userId])),
      JSON.stringify(closes.map(({ connectionId, graceMs }) => [connectionId, graceMs])),
      changes.filter(({ isRetry }) => isRetry).map(({ userId }) => userId),
      isAgain,
      maxConnections,
      now(),
    ])
    if (!applied?.isKnown) return undefined
    const crowds = new Map<string, string[]>()
    for (const [userId, connectionId] of applied.crowded) {
      crowds.set(userId, [...(crowds.get(userId) ?? []), connectionId])
    }
    for (const [userId, connectionIds] of crowds) onCrowded(userId, connectionIds)
    return applied.changed
  }

  /** Comes in with a new id; whoever was there before opens all its leases anew, but those that are being opened anyway. */
  async function enter(changes: LeaseChange[]): Promise<PresenceRecord[]> {
    const id = randomUUID()
    const [entered] = await run<{ isYoung: boolean }>('presence_enter', ENTER, [id, leaseMs, now()])
    const changed: PresenceRecord[] = []
    if (hasBeenThere) {
      const opening = new Set(changes.map(({ connectionId }) => connectionId))
      const mine = Array.from(connections(), ({ id, userId }) => ({ connectionId: id, userId, graceMs: null }))
      const anew: LeaseChange[] = mine.filter(
        ({ connectionId }) => !opening.has(connectionId) && !isOpening(connectionId),
      )
      const gone = entered?.isYoung ? parted.all() : []
      anew.push(...gone.map((change) => ({ ...change, graceMs: null })))
      for (let i = 0; i < anew.length; i += REOPEN_STEP) {
        changed.push(...((await write(id, anew.slice(i, i + REOPEN_STEP), true)) ?? []))
      }
      if (gone.length > 0) changed.push(...((await write(id, gone, true)) ?? []))
    }
    node = id
    hasBeenThere = true
    return changed
  }

  return {
    /** Stores changes, coming in first where this node is not known; answers the records that changed. */
    apply,

    /** As whom this node is known; undefined before it was there. */
    id: (): string | undefined => node,
  }
}
