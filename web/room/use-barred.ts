import { useEffect, useState } from 'preact/hooks'
import type { Entry, MyChat } from '../../client/src/index.js'
import { useChatClient, useMe, useStore } from '../../client/src/react.js'
import { FOREVER, peerOf } from '../chats/names.js'

const PAGE_MEMBERS = 100

/** Why one may not write in a chat just now; null where one may. */
export type Barred =
  | { why: 'frozen' }
  | { why: 'muted'; until: string | null }
  | { why: 'blocked'; userId: string; name: string }
  | null

/** What keeps one from writing, as far as this side knows it; the rest is told with the message that was refused. */
export function useBarred(chat: MyChat | null): Barred {
  const client = useChatClient()
  const blocked = useStore(client.blockedUserIds)
  const mutedUntil = useOwnMute(chat)
  const peer = chat && peerOf(chat)
  if (!chat) return null
  if (peer && blocked.includes(peer.userId)) return { why: 'blocked', userId: peer.userId, name: peer.name }
  if (chat.isFrozen && chat.myRole === 'member') return { why: 'frozen' }
  if (mutedUntil === null || Date.parse(mutedUntil) <= Date.now()) return null
  return { why: 'muted', until: mutedUntil < FOREVER ? mutedUntil : null }
}

/** Until when one is muted by the chat's admins. It stands in the list of members alone: in larger groups only a refusal tells it. */
function useOwnMute(chat: MyChat | null): string | null {
  const client = useChatClient()
  const myId = useMe()?.userId
  const [until, setUntil] = useState<string | null>(null)
  const isAsked = chat !== null && chat.type === 'group' && chat.memberCount <= PAGE_MEMBERS
  const chatId = chat?.chatId
  // A new message moves both by one; what else happens in a chat may have been a mute.
  const version = chat ? chat.revision - chat.lastSeq : 0
  useEffect(() => {
    if (!isAsked || chatId === undefined) return setUntil(null)
    let isOver = false
    const ask = async (): Promise<void> => {
      const { members } = await client.command('list_members', { chatId, limit: PAGE_MEMBERS })
      if (!isOver) setUntil(members.find(({ user }) => user.userId === myId)?.mutedUntil ?? null)
    }
    ask().catch(() => {})
    return () => {
      isOver = true
    }
  }, [client, chatId, isAsked, myId, version])
  useTimeAt(until === null ? null : Date.parse(until))
  return until
}

/** The longest that a timer of a browser can wait, nearly. */
const MAX_WAIT_MS = 2 ** 31 - 1

/** Renders again when it is this time. */
function useTimeAt(at: number | null): void {
  const [, render] = useState(0)
  useEffect(() => {
    if (at === null) return
    const timer = setTimeout(() => render(Date.now()), Math.min(MAX_WAIT_MS, Math.max(0, at - Date.now() + 50)))
    return () => clearTimeout(timer)
  }, [at])
}

const TICK_MS = 250

/** How many seconds of slow mode are left before one's next message. */
export function useSlowMode(chat: MyChat | null, entries: readonly Entry[], myId: string): number {
  const [now, setNow] = useState(Date.now)
  const pauseMs = chat && chat.myRole === 'member' ? chat.slowModeSeconds * 1_000 : 0
  const mine = pauseMs > 0 ? entries.findLast((entry) => isMine(entry, myId)) : undefined
  const last = mine?.status === 'stored' ? mine.message.createdAt : mine?.pending.createdAt
  const end = last === undefined ? 0 : Date.parse(last) + pauseMs
  const leftMs = Math.max(0, end - now)
  useEffect(() => {
    setNow(Date.now())
    if (end <= Date.now()) return
    const timer = setInterval(() => {
      setNow(Date.now())
      if (Date.now() >= end) clearInterval(timer)
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [end])
  return Math.ceil(leftMs / 1_000)
}

const isMine = (entry: Entry, myId: string): boolean =>
  entry.status === 'stored' ? entry.message.sender.userId === myId : entry.status !== 'failed'
