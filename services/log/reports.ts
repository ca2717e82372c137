import type { Input } from '../../contract/commands.js'
import { PAGES } from '../../contract/limits.js'
import type { Report } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage, toUser } from './entities.js'
import { createId } from './ids.js'
import { granted, type Outcome } from './outcomes.js'

interface ReportRow extends MessageRow, Record<string, unknown> {
  id: string
  reporter_id: string
  name: string | null
  avatar_url: string | null
  reason: string
  comment: string | null
  content: string | null
  at: string
}

/** What members hold against messages. */
export function createReports(db: Pick<Database, 'run'>) {
  return {
    /** Keeps a member's report of a message that they may see; a second one of theirs changes nothing. */
    async report(userId: string, { messageId, reason, comment }: Input<'report_message'>): Promise<void> {
      const values = [createId(), messageId, userId, reason, comment ?? null]
      const text = 'SELECT * FROM log_report_message($1, $2, $3, $4, $5) AS f (outcome)'
      const [row] = await db.run<Outcome & Record<string, unknown>>('log_report_message', text, values)
      granted(row)
    },

    /** One report; undefined for one whose message is no more. */
    async getReport(reportId: string): Promise<Report | undefined> {
      const [row] = await db.run<ReportRow>('report', ONE_REPORT, [reportId])
      return row && toReport(row)
    },

    /** A page of the reports, newest first. */
    async listReports(cursor: string | undefined, limit: number = PAGES.reports.standard) {
      const [before, beforeId] = cursor === undefined ? [null, null] : readCursor(cursor, 'time', 'uuid')
      const rows = await db.run<ReportRow>('reports', REPORTS, [before, beforeId, limit + 1])
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        reports: rows.slice(0, limit).map(toReport),
        nextCursor: last ? writeCursor(last.at, last.id) : null,
      }
    },
  }
}

function toReport(row: ReportRow): Report {
  const { id, content, reporter_id, name, avatar_url, reason, comment, at } = row
  return { id, message: toMessage(row), content, reporter: toUser(reporter_id, name, avatar_url), reason, comment, at }
}

const reportsOf = (some: string) => `
SELECT r.id, r.reporter_id, u.name, u.avatar_url, r.reason, r.comment, r.content, r.at, ${MESSAGE_COLUMNS}
FROM (
  SELECT o.* FROM reports o JOIN messages x ON x.id = o.message_id JOIN chats c ON c.id = x.chat_id
  WHERE x.seq >= c.first_seq AND ${some}) r
JOIN messages m ON m.id = r.message_id
LEFT JOIN users s ON s.id = m.sender_id
LEFT JOIN users u ON u.id = r.reporter_id
ORDER BY r.at DESC, r.id DESC`

const REPORTS = reportsOf('($1::timestamptz IS NULL OR (o.at, o.id) < ($1, $2)) ORDER BY o.at DESC, o.id DESC LIMIT $3')
const ONE_REPORT = reportsOf('o.id = $1')
