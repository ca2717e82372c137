import { MAX_IDS } from '../../contract/limits.js'
import { Refusal } from '../../services/refusals/refusal.js'
import type { Api } from '../api.js'

/** The highest revision of each chat; null of one that is gone. */
export type Heads = Map<string, number | null>

interface Page {
  chats: { chatId: string; head: number }[]
  nextCursor: string | null
}

interface List {
  chats: { chatId: string; revision: number }[]
  nextCursor: string | null
}

/** What the server says of some chats, by the highest revision that is claimed of each. */
export async function askHeads(api: Api, claimed: Map<string, number>): Promise<Heads> {
  const heads: Heads = new Map()
  const all = [...claimed]
  for (let i = 0; i < all.length; i += MAX_IDS) {
    const chats = Object.fromEntries(all.slice(i, i + MAX_IDS))
    // Of the changes themselves nothing is needed.
    const answer = await api.must<{ chats: Record<string, { head?: number }> }>('POST', '/sync', { chats, limit: 1 })
    for (const [chatId, { head }] of Object.entries(answer.chats)) heads.set(chatId, head ?? null)
  }
  return heads
}

/** The heads of all chats, those that a receiver has never heard of among them. */
export async function listHeads(api: Api): Promise<Heads> {
  const heads: Heads = new Map()
  const first = await api.ask<Page>('GET', '/changes/heads')
  if (first.status === 404) return await listChats(api)
  if (first.status !== 200) await api.must('GET', '/changes/heads')
  let { chats, nextCursor } = first.body
  const seen = new Set<string>()
  for (;;) {
    for (const { chatId, head } of chats) heads.set(chatId, Math.max(head, heads.get(chatId) ?? 0))
    // A feed that goes on for ever has a cursor after its last page, too.
    if (nextCursor === null || chats.length === 0 || seen.has(nextCursor)) return heads
    seen.add(nextCursor)
    ;({ chats, nextCursor } = await api.must<Page>('GET', `/changes/heads?cursor=${encodeURIComponent(nextCursor)}`))
  }
}

/** A server without that route lists its chats. */
async function listChats(api: Api): Promise<Heads> {
  const heads: Heads = new Map()
  let after = ''
  for (;;) {
    const page = await api.must<List>('GET', `/chats?limit=200${after && `&after=${encodeURIComponent(after)}`}`)
    for (const { chatId, revision } of page.chats) heads.set(chatId, revision)
    const last = page.chats.at(-1)?.chatId
    if (page.nextCursor === null || last === undefined) return heads
    if (last === after) throw new Refusal('The list of chats does not end.')
    after = last
  }
}
