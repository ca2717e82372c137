import type { UnreadNotice } from '../../contract/notices.js'

/** A member who may have to be told, and up to which message. */
export interface Candidate {
  userId: string
  chatId: string
  throughSeq: number
}

/** A chat in which messages are due: which of them, or null where only the database can say. */
export interface Moved {
  chatId: string
  firstSeq: number | null
  throughSeq: number | null
}

/**
 * Who takes notices. Laws: a notice comes again, with its `noticeId`, where `deliver` failed or the process died meanwhile; the next one waits until this
 * is settled, so `deliver` bounds its time, and rejects only where it pays to come again.
 */
export interface NoticeSink {
  name: string
  deliver(notice: UnreadNotice): Promise<void>
}

/** A host's own listener: it hears of each notice on the node that scans; what it throws is logged. */
export type OnUnread = (notice: UnreadNotice) => Promise<void> | void
