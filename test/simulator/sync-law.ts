import type { Output } from '../../contract/commands.js'
import type { Line, Store } from './database.js'
import type { Laws } from './laws.js'

/** Where a chat and its reader stood when a sync was asked for. */
export interface Asked {
  userId: string
  /** Chat → the revision that is known. */
  after: Record<string, number>
  limit: number
  /** Chat → its head then. */
  heads: Map<string, number>
}

const entityOf = ({ message, userId, kind }: Line) => message?.id ?? userId ?? (kind.startsWith('chat') ? '' : kind)

/** Law 6: what a sync answers is what the log says, each entity once, at its highest revision in the page. */
export function judgeSync(laws: Laws, store: Store, asked: Asked, answer: Output<'sync'>): void {
  for (const [chatId, after] of Object.entries(asked.after)) {
    const chat = store.chats.get(chatId)
    const told = answer.chats[chatId]
    const breach = (text: string) => laws.breach(6, `${asked.userId} asks for ${chatId} after ${after}: ${text}`)
    if (!chat || !told) {
      breach('no answer')
      continue
    }
    const then = asked.heads.get(chatId) ?? 0
    // Since it was asked for, or longer: of who came or went meanwhile either answer is good.
    const stay = chat.stays.get(asked.userId)?.find(({ from, to }) => from <= then && to > chat.lines.length)
    const touched = chat.stays.get(asked.userId)?.some(({ from, to }) => from > then || (to > then && to < Infinity))
    if ('gone' in told) {
      if (stay && !touched) breach('gone, and a member')
    } else if ('reset' in told) {
      if (stay && !touched && after >= stay.from - 1 && after <= then) breach('a reset without a reason')
    } else {
      const { changes, through, head, more } = told
      if (stay && !touched && after < stay.from - 1) breach('no reset over an absence')
      if (head < then || head > chat.lines.length) breach(`head ${head}`)
      if (more !== through < head || (through === after && more && asked.limit > 0 && !isShared(asked)))
        breach('no end')
      const newest = new Map<string, number>()
      for (const line of chat.lines.slice(after, through)) newest.set(entityOf(line), line.revision)
      const expected = [...newest.values()].sort((a, b) => a - b).join()
      const found = changes.map(({ revision }) => revision).join()
      if (expected !== found) breach(`revisions ${found} and not ${expected}`)
    }
  }
}

/** Whether the limit may have been used up by another chat. */
const isShared = ({ after }: Asked) => Object.keys(after).length > 1
