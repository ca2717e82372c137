import type { Database } from '../db/index.js'

/** Where a hook stands in a chat, and where the chat is. */
export interface Place {
  chatId: string
  /** The last revision that it took, and up to where the rest does not concern it. */
  revision: number
  seen: number
  head: number
  /** When the first line above `seen` was written; null where that is no longer kept. */
  at: string | null
  /** How often the hook had been set back when this was read. */
  replays: number
}

/** A step of a hook in a chat, from where it stood. */
export interface Move {
  hookKey: string
  chatId: string
  oldRevision: number
  oldSeen: number
  revision: number
  seen: number
}

const BEHIND_PAGE = 2_000
/** How long a step of the comparison may take: nobody waits for it. */
const PATIENT = { by: { userId: '' } }

/** How far hooks have been told of chats. */
export function createPositions(db: Pick<Database, 'run'>) {
  return {
    /** Where a hook stands in some chats. */
    load: (hookKey: string, chatIds: string[]): Promise<(Place & Record<string, unknown>)[]> =>
      db.run('hook_places', PLACES, [hookKey, chatIds], PATIENT),

    /** Of a page of all chats, by id, those in which a hook is behind; with the id after which the next page begins, null after the last. */
    async behind(hookKey: string, after: string): Promise<{ places: Place[]; next: string | null }> {
      const [row] = await db.run<{ places: Place[]; next: string | null }>(
        'hook_behind',
        BEHIND,
        [hookKey, after],
        PATIENT,
      )
      return row ?? { places: [], next: null }
    },

    /** Makes steps, each only from where the hook was said to stand; answers the keys of those that were made. */
    async move(moves: Move[]): Promise<Set<string>> {
      const rows = await db.run<{ hook_key: string; chat_id: string }>('hook_move', MOVE, [JSON.stringify(moves)])
      return new Set(rows.map(({ hook_key, chat_id }) => keyOf({ hookKey: hook_key, chatId: chat_id })))
    },
  }
}

export const keyOf = ({ hookKey, chatId }: Pick<Move, 'hookKey' | 'chatId'>): string => `${hookKey} ${chatId}`

const AT = `(SELECT l.at FROM chat_log l WHERE l.chat_id = c.id AND l.revision > coalesce(p.seen, 0) ORDER BY l.revision LIMIT 1)`

const PLACES = `
SELECT c.id AS "chatId", coalesce(p.revision, 0) AS revision, coalesce(p.seen, 0) AS seen, c.revision AS head, ${AT} AS at, h.replays
FROM hooks h CROSS JOIN chats c
LEFT JOIN hook_positions p ON p.hook_key = h.key AND p.chat_id = c.id
WHERE h.key = $1 AND c.id = ANY ($2)`

// Each position is one look-up (LATERAL, OFFSET 0): the planner may take a table that has just filled for an empty one.
const BEHIND = `
WITH page AS MATERIALIZED (SELECT id, revision FROM chats WHERE id > $2 ORDER BY id LIMIT ${BEHIND_PAGE}), compared AS (
  SELECT c.id, c.revision AS head, coalesce(p.revision, 0) AS revision, coalesce(p.seen, 0) AS seen
  FROM page c LEFT JOIN LATERAL (
    SELECT * FROM hook_positions x WHERE x.hook_key = $1 AND x.chat_id = c.id OFFSET 0) p ON true
  WHERE c.revision > coalesce(p.seen, 0)
)
SELECT (SELECT CASE WHEN count(*) = ${BEHIND_PAGE} THEN max(id) END FROM page) AS next,
  (SELECT coalesce(json_agg(json_build_object('chatId', b.id, 'revision', b.revision, 'seen', b.seen, 'head', b.head, 'replays', 0,
    'at', to_char((SELECT l.at FROM chat_log l WHERE l.chat_id = b.id AND l.revision > b.seen ORDER BY l.revision LIMIT 1),
      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), '[]') FROM compared b) AS places`

// A hook that was set back meanwhile, or told by another node, stands elsewhere: its step is not made, and it is looked up again.
const MOVE = `
WITH moved AS MATERIALIZED (
  SELECT m.*, EXISTS (SELECT 1 FROM hooks h WHERE h.key = m."hookKey") AS is_there
  FROM json_to_recordset($1) AS m ("hookKey" uuid, "chatId" text, "oldRevision" integer, "oldSeen" integer, revision integer, seen integer)
), stepped AS (
  UPDATE hook_positions p SET revision = m.revision, seen = m.seen FROM moved m
  WHERE p.hook_key = m."hookKey" AND p.chat_id = m."chatId" COLLATE "C" AND p.revision = m."oldRevision" AND p.seen = m."oldSeen"
  RETURNING p.hook_key, p.chat_id
), begun AS (
  INSERT INTO hook_positions AS p (hook_key, chat_id, revision, seen)
  SELECT m."hookKey", m."chatId", m.revision, m.seen FROM moved m WHERE m."oldRevision" = 0 AND m."oldSeen" = 0 AND m.is_there
  ON CONFLICT DO NOTHING RETURNING p.hook_key, p.chat_id
)
SELECT hook_key, chat_id FROM stepped UNION SELECT hook_key, chat_id FROM begun`
