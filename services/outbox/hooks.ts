import { randomBytes, randomUUID } from 'node:crypto'
import type { Static } from '@sinclair/typebox'
import { ChatError } from '../../contract/errors.js'
import type { Hook, HookBody, ReplayBody } from '../../contract/hooks.js'
import { MAX_HOOKS } from '../../contract/limits.js'
import { HOOK_EVENTS, HOOK_NOTICES, type HookEvent } from '../../contract/words.js'
import type { Database } from '../db/index.js'
import { createStep } from '../log/steps.js'

/** A hook as those need it who tell it something. */
export interface Target {
  id: string
  key: string
  url: string
  /** What it wants to hear. */
  events: ReadonlySet<string>
  wantsChanges: boolean
  /** Each signs what it is sent. */
  secrets: string[]
  replays: number
  isDisabled: boolean
  /** Whether something waits for it that is in no chat's log. */
  hasNotices: boolean
}

/** What the dispatcher says of a hook. */
export interface Status {
  key: string
  lag: number
  oldestAt: string | null
  failures: number
  lastFailure: string | null
  lastFailureAt: string | null
  lastSuccessAt: string | null
}

interface HookRow extends Record<string, unknown>, Status {
  id: string
  url: string
  events: HookEvent[] | null
  wantsChanges: boolean
  secret: string
  oldSecret: string | null
  oldSecretUntil: string | null
  replays: number
  createdAt: string
  disabledAt: string | null
  hasNotices: boolean
}

interface PutRow extends Record<string, unknown> {
  outcome: 'ok' | 'too_many'
  is_new: boolean
}

/** What a hook is to be; `oldSecret` signs, too, for as long as it is there, '' being none. */
export interface HookInput extends Static<typeof HookBody> {
  oldSecret?: string
}

/** A statement that touches a row for each chat has longer than others. */
const LONG = { withinMs: 60_000, limitMs: 60_000 }
const SECRET_BYTES = 32
const NOTICES: readonly string[] = HOOK_NOTICES

const noHook = () => new ChatError('NOT_FOUND', { message: 'There is no such hook.' })

/** The hooks in the database. */
export function createHooks(db: Pick<Database, 'run'>) {
  const step = createStep(db)

  async function read(hookId: string): Promise<HookRow> {
    const [row] = await db.run<HookRow>('hook', `${HOOKS} WHERE h.id = $1`, [hookId])
    if (!row) throw noHook()
    return row
  }

  /** Takes away what is kept of hooks that are no more. */
  async function sweep(): Promise<void> {
    while ((await step<{ gone: number }>('hook_sweep', SWEEP, []))[0]?.gone) {
      // Goes on.
    }
    await step(
      'hook_sweep_events',
      'DELETE FROM hook_events e WHERE NOT EXISTS (SELECT 1 FROM hooks h WHERE h.key = e.hook_key)',
      [],
    )
  }

  return {
    /** All hooks, as those need them who tell them something. */
    async targets(): Promise<Target[]> {
      return (await db.run<HookRow>('hooks', `${HOOKS} ORDER BY h.id`, [])).map(toTarget)
    },

    /** All hooks, as services see them. */
    async list(): Promise<Hook[]> {
      return (await db.run<HookRow>('hooks', `${HOOKS} ORDER BY h.id`, [])).map((row) => toHook(row))
    },

    get: async (hookId: string): Promise<Hook> => toHook(await read(hookId)),

    /** Makes a hook, which is told what is committed from now on, or changes it; its secret is told where this call made or changed it. */
    async put(
      hookId: string,
      { url, events, secret, oldSecret }: HookInput,
    ): Promise<{ hook: Hook; created: boolean }> {
      const fresh = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
      const wantsChanges = !events || events.some((name) => !NOTICES.includes(name))
      const wanted = events ? JSON.stringify([...new Set(events)]) : null
      const values = [
        hookId,
        randomUUID(),
        url,
        wanted,
        wantsChanges,
        secret ?? null,
        fresh,
        oldSecret ?? null,
        MAX_HOOKS,
      ]
      const [row] = await db.run<PutRow>('hook_put', PUT, values, LONG)
      if (row?.outcome !== 'ok') {
        throw new ChatError('LIMIT_REACHED', { message: `There can be no more than ${MAX_HOOKS} hooks.` })
      }
      const made = await read(hookId)
      return { hook: toHook(made, row.is_new || secret !== undefined ? made.secret : null), created: row.is_new }
    },

    /** Deletes a hook, and answers its key; NOT_FOUND where there is none. What is kept of it goes in small steps. */
    async delete(hookId: string): Promise<string> {
      const [row] = await db.run<{ key: string }>('hook_delete', 'DELETE FROM hooks WHERE id = $1 RETURNING key', [
        hookId,
      ])
      if (!row) throw noHook()
      void sweep().catch(() => {})
      return row.key
    },

    /** Sets a hook back, in one chat or in all. */
    async replay(hookId: string, { chatId, fromRevision = 1 }: Static<typeof ReplayBody>): Promise<Hook> {
      const text = 'SELECT hook_replay($1, $2, $3) AS outcome'
      const [row] = await db.run<{ outcome: string }>('hook_replay', text, [hookId, chatId ?? null, fromRevision], LONG)
      if (row?.outcome !== 'ok')
        throw new ChatError('NOT_FOUND', { message: 'There is no such hook, or no such chat.' })
      return toHook(await read(hookId))
    },

    /** Asks a hook nothing more, until it is put again. */
    async disable(key: string): Promise<void> {
      await db.run('hook_disable', 'UPDATE hooks SET disabled_at = clock_timestamp() WHERE key = $1', [key])
    },

    /** Keeps what the dispatcher says of hooks. */
    async tell(statuses: Status[]): Promise<void> {
      await db.run('hook_tell', TELL, [JSON.stringify(statuses)])
    },

    sweep,
  }
}

function toTarget(row: HookRow): Target {
  const { id, key, url, wantsChanges, secret, oldSecret, oldSecretUntil, replays, disabledAt, hasNotices } = row
  const isOldGood = oldSecret !== null && (oldSecretUntil === null || Date.parse(oldSecretUntil) > Date.now())
  return {
    id,
    key,
    url,
    events: new Set<string>(row.events ?? HOOK_EVENTS),
    wantsChanges,
    secrets: isOldGood ? [secret, oldSecret] : [secret],
    replays,
    isDisabled: disabledAt !== null,
    hasNotices,
  }
}

function toHook(row: HookRow, secret: string | null = null): Hook {
  const { id, url, events, oldSecretUntil, createdAt, disabledAt, lag, oldestAt } = row
  const { failures, lastFailure, lastFailureAt, lastSuccessAt } = row
  return {
    hookId: id,
    url,
    events: events ?? HOOK_EVENTS,
    secret,
    oldSecretUntil,
    createdAt,
    disabledAt,
    lag,
    oldestAt,
    failures,
    lastFailure,
    lastFailureAt,
    lastSuccessAt,
  }
}

const HOOKS = `
SELECT h.id, h.key, h.url, h.events, h.wants_changes AS "wantsChanges", h.secret, h.old_secret AS "oldSecret", h.old_secret_until AS "oldSecretUntil",
  h.replays, h.created_at AS "createdAt", h.disabled_at AS "disabledAt", h.lag::float8 AS lag, h.oldest_at AS "oldestAt", h.failures,
  h.last_failure AS "lastFailure", h.last_failure_at AS "lastFailureAt", h.last_success_at AS "lastSuccessAt",
  EXISTS (SELECT 1 FROM hook_events e WHERE e.hook_key = h.key) AS "hasNotices"
FROM hooks h`

const PUT = 'SELECT outcome, is_new FROM hook_put($1, $2, $3, $4, $5, $6, $7, $8, $9)'

const TELL = `
UPDATE hooks h SET lag = s.lag, oldest_at = s."oldestAt", failures = s.failures, last_failure = s."lastFailure",
  last_failure_at = s."lastFailureAt", last_success_at = s."lastSuccessAt"
FROM json_to_recordset($1) AS s (key uuid, lag bigint, "oldestAt" timestamptz, failures integer, "lastFailure" text,
  "lastFailureAt" timestamptz, "lastSuccessAt" timestamptz)
WHERE h.key = s.key`

// The keys are found by one look-up each, however many positions they have; then some positions of one that is no hook's go.
const SWEEP = `
WITH RECURSIVE keys (key) AS (
  (SELECT hook_key FROM hook_positions ORDER BY hook_key LIMIT 1)
  UNION ALL
  SELECT (SELECT p.hook_key FROM hook_positions p WHERE p.hook_key > k.key ORDER BY p.hook_key LIMIT 1) FROM keys k WHERE k.key IS NOT NULL
), orphan AS (
  SELECT k.key FROM keys k WHERE k.key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM hooks h WHERE h.key = k.key) LIMIT 1
), swept AS (
  DELETE FROM hook_positions d USING (
    SELECT p.hook_key, p.chat_id FROM orphan o JOIN hook_positions p ON p.hook_key = o.key ORDER BY p.chat_id LIMIT 5000) s
  WHERE d.hook_key = s.hook_key AND d.chat_id = s.chat_id RETURNING 1
)
SELECT count(*)::integer AS gone FROM swept`
