import { useEffect, useRef, useState } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'
import { summaryOf } from '../chats/names.js'
import { useLanguage } from '../words/index.js'

/** What comes in so short a time is said at once. */
const GATHER_MS = 400
/** More of them are counted, not read out. */
const MAX_READ = 3

/** Tells screen readers what others write while the chat is open: what is new, never what was scrolled to. */
export function Announcer({ entries, lastSeq, myId }: { entries: readonly Entry[]; lastSeq: number; myId: string }) {
  const { words } = useLanguage()
  const [said, setSaid] = useState('')
  const saidSeq = useRef(lastSeq)
  useEffect(() => {
    if (entries.length === 0) return
    const timer = setTimeout(() => {
      const { last, fresh } = newOnes(entries, saidSeq.current, myId)
      saidSeq.current = Math.max(last, saidSeq.current)
      if (fresh.length === 0) return
      const lines = fresh.map(({ message }) => `${message.sender.name}: ${summaryOf(message, words)}`)
      setSaid(lines.length > MAX_READ ? words.room.newCount(lines.length) : lines.join('\n'))
    }, GATHER_MS)
    return () => clearTimeout(timer)
  }, [entries, myId, words])
  return (
    <div class="heard" role="log" aria-live="polite" aria-label={words.room.newMessages}>
      {said}
    </div>
  )
}

type Stored = Extract<Entry, { status: 'stored' }>

function newOnes(entries: readonly Entry[], after: number, myId: string): { last: number; fresh: Stored[] } {
  const fresh: Stored[] = []
  let last = 0
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i]
    if (entry?.status !== 'stored') continue
    last = Math.max(last, entry.message.seq)
    if (entry.message.seq <= after) break
    if (entry.message.sender.userId !== myId && entry.message.deletedAt === null) fresh.unshift(entry)
  }
  return { last, fresh }
}
