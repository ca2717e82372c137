import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Database } from './index.js'
import { CHAT_LOCK } from './migrate.js'

export interface LeadOptions {
  /** What is led; one node at a time leads each. */
  what: string
  /** This node leads from now on. */
  onWon(): void
  /** It may no longer: another one can, from now on. */
  onLost(): void
}

const LOOK_MS = 1_000
const PULSE_MS = 1_000
/** A server that is silent for so long has lost us, or soon will. */
const PATIENCE_MS = 5_000
const LEAVE_MS = 500

/**
 * Has one node of all lead, for as long as the connection lives that holds the lock: when a node or its connection dies, PostgreSQL lets go of the
 * lock, and another takes it within a second or so. The embedded database is of one process, which leads. For a moment, two can believe that they lead: whoever leads
 * writes so that this does no harm.
 */
export function createLead(db: Pick<Database, 'connection' | 'schema' | 'embedded'>, options: LeadOptions) {
  const { what, onWon, onLost } = options
  const stopped = new AbortController()
  let running: Promise<void> | undefined
  const rest = (ms: number) => sleep(ms, undefined, { signal: stopped.signal, ref: false }).catch(() => {})

  async function lead(): Promise<void> {
    if (db.embedded) {
      onWon()
      await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve))
      onLost()
      return
    }
    while (!stopped.signal.aborted) {
      await once()
      await rest(LOOK_MS)
    }
  }

  /** With one connection: waits for the lock, and holds it until the connection fails or all ends. */
  async function once(): Promise<void> {
    const socket = new Socket()
    const limits = { statement_timeout: 0, query_timeout: PATIENCE_MS }
    const client = new pg.Client({
      ...db.connection,
      ...limits,
      application_name: `chat ${what}`,
      stream: () => socket,
    })
    const gone = new Promise<never>((_resolve, reject) => {
      client.on('error', reject)
      client.on('end', () => reject(new Error('the connection has ended')))
    })
    gone.catch(() => {})
    let hasWon = false
    try {
      await client.connect()
      while (!stopped.signal.aborted) {
        // Asked for, not waited for: a statement that waits holds a snapshot.
        const ask = hasWon ? 'SELECT true AS held' : 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS held'
        const { rows } = await client.query(ask, hasWon ? [] : [CHAT_LOCK, `${db.schema} ${what}`])
        if (rows[0].held && !hasWon) {
          hasWon = true
          onWon()
        }
        await Promise.race([gone, rest(hasWon ? PULSE_MS : LOOK_MS)])
      }
    } catch {
      // Another connection is tried.
    } finally {
      if (hasWon) onLost()
      await Promise.race([client.end().catch(() => {}), sleep(LEAVE_MS, undefined, { ref: false })])
      socket.destroy()
    }
  }

  return {
    /** Wants to lead from now on. */
    start(): void {
      running ??= lead()
    },

    /** Lets another lead; settles when this one no longer does. */
    async stop(): Promise<void> {
      stopped.abort()
      await running
    },
  }
}
