import type { Store } from './api.js'
import type { Command } from './command.js'
import { createSource, derive, isSame } from './store.js'
import type { Presence } from './wire.js'

/** What the server lets one socket follow. */
const MAX_WATCHED = 500
/** Who comes and goes on a screen is gathered for so long. */
const GATHER_MS = 50

/** Who is there: watched while somebody subscribes; of two states that of the higher version counts. */
export function createPresence(command: Command, isIn: () => boolean) {
  const known = createSource<Readonly<Record<string, Presence>>>({})
  const wanted = new Map<string, number>()
  let watched = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function hear(presences: readonly Presence[]): void {
    const last = known.get()
    const news = presences.filter(({ userId, version }) => version > (last[userId]?.version ?? -1))
    if (news.length > 0)
      known.set({ ...last, ...Object.fromEntries(news.map((presence) => [presence.userId, presence])) })
  }

  async function settle(): Promise<void> {
    timer = undefined
    if (!isIn()) return
    const next = new Set([...wanted.keys()].slice(0, MAX_WATCHED))
    const gone = [...watched].filter((userId) => !next.has(userId))
    const come = [...next].filter((userId) => !watched.has(userId))
    watched = next
    try {
      if (gone.length > 0) await command('unwatch_presence', { userIds: gone })
      if (come.length > 0) hear((await command('watch_presence', { userIds: come })).presences)
    } catch {
      // Whoever is not watched is asked for again, as long as somebody wants it.
      for (const userId of come) watched.delete(userId)
      if (isIn()) setTimeout(gather, 1_000)
    }
  }

  function gather(): void {
    if (timer === undefined) timer = setTimeout(settle, GATHER_MS)
  }

  function want(userIds: readonly string[], by: 1 | -1): void {
    for (const userId of userIds) {
      const count = (wanted.get(userId) ?? 0) + by
      if (count > 0) wanted.set(userId, count)
      else wanted.delete(userId)
    }
    gather()
  }

  const pick = (ids: Iterable<string>) =>
    Object.fromEntries([...ids].flatMap((id) => known.get()[id] ?? []).map((presence) => [presence.userId, presence]))

  return {
    hear,

    of(userIds: readonly string[]): Store<Readonly<Record<string, Presence>>> {
      const ids = [...new Set(userIds)]
      const { get, subscribe } = derive([known], () => pick(ids), isSame)
      return {
        get,
        subscribe(listener) {
          const end = subscribe(listener)
          want(ids, 1)
          let isOver = false
          return () => {
            if (isOver) return
            isOver = true
            end()
            want(ids, -1)
          }
        },
      }
    },

    /** There is a new session: it follows nobody yet, and what was known of others may be old. */
    begin(): void {
      known.set(pick(wanted.keys()))
      watched = new Set()
      gather()
    },
  }
}
