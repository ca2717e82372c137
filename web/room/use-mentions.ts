import { useEffect, useState } from 'preact/hooks'
import type { MyChat, User } from '../../client/src/index.js'
import { useChatClient, useMe } from '../../client/src/react.js'
import { EVERYONE, type KeptDraft, type Mentioned } from './drafts.js'

const PAGE_MEMBERS = 100
/** Of larger groups so many are offered. */
const MAX_MEMBERS = 500
const MAX_OFFERED = 8
/** Who is mentioned at most, by the service. */
const MAX_MENTIONS = 50
const MAX_QUERY = 40

/** An `@` and what follows it up to the caret. */
interface Asked {
  start: number
  query: string
}

/** What is asked for with an `@` before the caret; null where there is none. */
export function askedAt(text: string, caret: number): Asked | null {
  const start = text.lastIndexOf('@', caret - 1)
  if (start < 0 || caret - start > MAX_QUERY || /[\p{L}\p{N}_@]/u.test(text[start - 1] ?? '')) return null
  const query = text.slice(start + 1, caret)
  return query.includes('\n') ? null : { start, query }
}

/** Whom a text names of those who were picked for it, as a message says it. */
export function mentionsIn({ text, mentioned }: KeptDraft): { userIds: string[]; everyone: boolean } {
  const named = mentioned.filter(({ name }) => text.includes(`@${name}`)).map(({ userId }) => userId)
  const userIds = [...new Set(named)].filter((userId) => userId !== EVERYONE.userId)
  return { userIds: userIds.slice(0, MAX_MENTIONS), everyone: named.includes(EVERYONE.userId) }
}

/** People of the chat who fit what is asked for, those first whose name begins so. */
export function useMentions(chat: MyChat | null, asked: Asked | null): Mentioned[] {
  const members = useMembers(chat, asked !== null)
  const myId = useMe()?.userId
  if (!chat || !asked) return []
  const query = asked.query.toLocaleLowerCase()
  const rank = ({ name }: Mentioned): number => {
    const lower = name.toLocaleLowerCase()
    return lower.startsWith(query) ? 0 : lower.split(/\s+/).some((word) => word.startsWith(query)) ? 1 : 2
  }
  const people: Mentioned[] = members.filter(({ userId }) => userId !== myId)
  if (chat.type === 'group' && chat.myRole !== 'member') people.push(EVERYONE)
  const fitting = people.filter((person) => rank(person) < 2)
  return fitting.sort((a, b) => rank(a) - rank(b)).slice(0, MAX_OFFERED)
}

/** Who is in a chat; asked for when it is first wanted. */
function useMembers(chat: MyChat | null, isWanted: boolean): User[] {
  const client = useChatClient()
  const [members, setMembers] = useState<User[]>([])
  const chatId = chat?.chatId
  const version = chat ? chat.revision - chat.lastSeq : 0
  useEffect(() => {
    if (!isWanted || chatId === undefined) return
    let isOver = false
    const ask = async (): Promise<void> => {
      const found: User[] = []
      let cursor: string | null | undefined
      do {
        const page = await client.command('list_members', { chatId, limit: PAGE_MEMBERS, ...(cursor && { cursor }) })
        found.push(...page.members.map(({ user }) => user))
        cursor = page.nextCursor
      } while (cursor !== null && found.length < MAX_MEMBERS && !isOver)
      if (!isOver) setMembers(found)
    }
    // Offline one writes the name by hand.
    ask().catch(() => {})
    return () => {
      isOver = true
    }
  }, [client, chatId, isWanted, version])
  return members
}
