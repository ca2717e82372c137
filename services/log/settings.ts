import type { Input } from '../../contract/commands.js'
import { FOR_GOOD } from '../../contract/limits.js'
import type { ChatSettings } from '../../contract/shapes.js'
import type { Bus } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { toTime } from '../time.js'
import type { Doubts } from './doubts.js'
import { granted, type Outcome } from './outcomes.js'

/** The settings `z` that a member `b` keeps of chat `c`, for `toSettings`. */
export const SETTINGS_COLUMNS = `z.muted_until AS own_muted_until, z.is_pinned, z.is_archived,
  z.hidden_at_seq >= c.last_seq AS is_hidden, z.unread_at_seq >= b.last_read_seq AS is_marked_unread`

/** Whether a member `b` wants to hear nothing of chat `c` just now: it counts in no total. */
export const IS_QUIET = 'coalesce(z.is_archived OR z.hidden_at_seq >= c.last_seq OR z.muted_until > now(), false)'

/** All null where nothing was ever set. */
export interface SettingsRow {
  own_muted_until: string | null
  is_pinned: boolean | null
  is_archived: boolean | null
  is_hidden: boolean | null
  is_marked_unread: boolean | null
}

/** A member's own settings of a chat. */
export function toSettings(row: SettingsRow): ChatSettings {
  return {
    mutedUntil: row.own_muted_until,
    isPinned: row.is_pinned ?? false,
    isArchived: row.is_archived ?? false,
    isHidden: row.is_hidden ?? false,
    isMarkedUnread: row.is_marked_unread ?? false,
  }
}

/** A member of a chat. */
export interface Place {
  userId: string
  chatId: string
}

interface OwnRow extends SettingsRow, Record<string, unknown> {
  user_id: string
  chat_id: string
}

type SetRow = SettingsRow & Outcome & Record<string, unknown>

/** What members keep of their chats for themselves: last-value state, not in the log. */
export function createSettings(db: Pick<Database, 'run'>, bus: Pick<Bus, 'publish'>, doubts: Pick<Doubts, 'about'>) {
  return {
    /** Changes a member's own settings of a chat; answers all of them. Where all was so, nobody is told. NOT_FOUND for who is no member. */
    async setSettings(userId: string, input: Input<'set_chat_settings'>): Promise<ChatSettings> {
      const { chatId, mutedUntil, isPinned = null, isArchived = null, isHidden = null, isMarkedUnread = null } = input
      const muted = [mutedUntil !== undefined, mutedUntil == null ? null : withinReach(mutedUntil)]
      const values = [userId, chatId, ...muted, isPinned, isArchived, isHidden, isMarkedUnread]
      const publish = () => bus.publish('settings', { userId, chatId })
      const [row] = await doubts.about(db.run<SetRow>('log_set_chat_settings', SET, values), publish)
      const set = granted(row)
      if (set.outcome === 'ok') publish()
      return toSettings(set)
    },

    /** The own settings of some members, each as it was asked for; who is no member is left out. */
    async getSettings(places: Place[]): Promise<(Place & { settings: ChatSettings })[]> {
      const values = [places.map(({ userId }) => userId), places.map(({ chatId }) => chatId)]
      const rows = await db.run<OwnRow>('own_settings', OWN, values)
      return rows.map((row) => ({ userId: row.user_id, chatId: row.chat_id, settings: toSettings(row) }))
    },
  }
}

/** A time as PostgreSQL can hold it and a contract's time can say it: what is long over, or lasts longer, is as good. */
const withinReach = (time: string): string => toTime(Math.min(Math.max(Date.parse(time), 0), Date.parse(FOR_GOOD)))

const SET = 'SELECT * FROM log_set_chat_settings($1, $2, $3, $4, $5, $6, $7, $8)'

const OWN = `
SELECT b.user_id, b.chat_id, ${SETTINGS_COLUMNS}
FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS p (user_id, chat_id)) a
JOIN LATERAL (SELECT * FROM members x WHERE x.chat_id = a.chat_id AND x.user_id = a.user_id OFFSET 0) b ON true
JOIN LATERAL (SELECT x.last_seq FROM chats x WHERE x.id = a.chat_id OFFSET 0) c ON true
LEFT JOIN LATERAL (SELECT * FROM chat_settings x WHERE x.user_id = a.user_id AND x.chat_id = a.chat_id OFFSET 0) z ON true`
