import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

export interface Pages<T> {
  /** Null until the first page has come. */
  items: T[] | null
  hasMore: boolean
  more(): void
  reload(): void
}

/** What happens at once is asked for once. */
const PAUSE_MS = 150

/** A list that comes page by page; it comes anew when `version` changes. */
export function usePages<T>(fetch: (cursor?: string) => Promise<Page<T>>, version: unknown): Pages<T> {
  const [page, setPage] = useState<Page<T> | null>(null)
  const [asked, setAsked] = useState(0)
  const latest = useRef(fetch)
  latest.current = fetch
  const cursor = page?.nextCursor ?? null

  useEffect(() => {
    let isCurrent = true
    const timer = setTimeout(
      () =>
        latest.current().then(
          (page) => isCurrent && setPage(page),
          () => {},
        ),
      page === null ? 0 : PAUSE_MS,
    )
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [version, asked])

  const reload = useCallback(() => setAsked((times) => times + 1), [])
  const more = useCallback(() => {
    if (cursor === null) return
    latest.current(cursor).then(
      (next) => setPage((page) => page && { ...next, items: [...page.items, ...next.items] }),
      () => {},
    )
  }, [cursor])
  return { items: page?.items ?? null, hasMore: cursor !== null, more, reload }
}
