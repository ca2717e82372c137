import { UNREAD_CAP } from '../../contract/limits.js'
import type { UnreadNotice } from '../../contract/notices.js'
import type { Database } from '../db/index.js'
import { type MessageRow, toMessage } from '../log/entities.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { NoticeSink } from './ports.js'
import { FORGET, NEXT } from './statements.js'

export interface DeliverOptions {
  db: Pick<Database, 'run'>
  log: Pick<Log, 'getUnread'>
  sinks: NoticeSink[]
  maxMembers: number
  logger: Pick<Logger, 'warn'>
  onTold(count: number): void
  isStopped(): boolean
}

type NextRow = Record<string, unknown> & { noticeId: string; userId: string; chatId: string; fromSeq: number } & {
  throughSeq: number
  unread: number
  mentions: number
} & (MessageRow | { [K in keyof MessageRow]: null })

const AT_ONCE = 100

/** What is decided, to the sinks: in their order, each notice until one of them fails; then all wait, and it comes again. */
export function createDeliver({ db, log, sinks, maxMembers, logger, onTold, isStopped }: DeliverOptions) {
  async function tell(notice: UnreadNotice): Promise<boolean> {
    for (const { name, deliver } of sinks) {
      try {
        await deliver(notice)
      } catch (error) {
        logger.warn({ err: error, sink: name }, 'unread notices could not be delivered yet')
        return false
      }
    }
    return true
  }

  async function toNotices(rows: NextRow[]): Promise<UnreadNotice[]> {
    const totals = rows.length > 0 ? await log.getUnread([...new Set(rows.map(({ userId }) => userId))]) : new Map()
    return rows.map((row) => {
      const { noticeId, userId, chatId, fromSeq, throughSeq } = row
      const mentions = { unreadMentions: row.mentions, total: totals.get(userId)?.messages ?? 0 }
      const unreadCount = Math.min(row.unread, UNREAD_CAP)
      const lastMessage = row.m_id === null ? null : toMessage(row)
      return { noticeId, userId, chatId, fromSeq, throughSeq, unreadCount, ...mentions, lastMessage }
    })
  }

  return {
    /** Delivers all there is; answers whether nothing is left. What was read, or deleted, before it could be told is told no more. */
    async all(): Promise<boolean> {
      while (!isStopped()) {
        const rows = await db.run<NextRow>('notice_next', NEXT, [AT_ONCE, maxMembers])
        const notices = await toNotices(rows.filter(({ m_id }) => m_id !== null))
        const isTold = await Promise.all(notices.map(tell))
        const failed = new Set(notices.filter((_, place) => !isTold[place]).map(({ noticeId }) => noticeId))
        onTold(notices.length - failed.size)
        const done = rows.filter(({ noticeId }) => !failed.has(noticeId))
        const lists = [
          done.map(({ userId }) => userId),
          done.map(({ chatId }) => chatId),
          done.map((one) => one.throughSeq),
        ]
        if (done.length > 0) await db.run('notice_forget', FORGET, lists)
        if (failed.size > 0) return false
        if (rows.length < AT_ONCE) return true
      }
      return true
    },
  }
}
