import type { RefObject } from 'preact'
import { useMemo, useRef } from 'preact/hooks'

/** So near to the end that one follows what comes. */
const END_PX = 24

/** What stays where it is while the list changes round it: the end, or the first message in view. */
type Anchor = { key: string; offsetPx: number } | 'end' | null

/** Where each message stands in its list: `data-key` names it. */
export const rowOf = (list: Element | null, key: string): HTMLElement | null =>
  list?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null

/** The first child of a list for which something holds, which holds for all below, too. */
export function firstChild(list: Element, holds: (child: Element) => boolean): number {
  let [low, high] = [0, list.children.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const child = list.children[middle]
    if (child && holds(child)) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Keeps a list in its place. The browser's own anchoring is off: it knows nothing of what is to be followed, and not all have it.
 * `hold` takes in where one has scrolled to; `restore` goes back there after a change.
 */
export function useAnchor(scroller: RefObject<HTMLElement | null>, list: RefObject<HTMLElement | null>) {
  const anchor = useRef<Anchor>('end')
  // A scroll is told with the next frame: what changes before then must not take it back.
  const seenTopPx = useRef(0)
  return useMemo(
    () => ({
      isAtEnd: () => anchor.current === 'end',
      follow(): void {
        anchor.current = 'end'
        seenTopPx.current = scroller.current?.scrollTop ?? 0
      },
      release(): void {
        anchor.current = null
      },

      hold(isEndThere: boolean): void {
        const element = scroller.current
        if (!element || !list.current || element.clientHeight === 0) return
        seenTopPx.current = element.scrollTop
        const below = element.scrollHeight - element.scrollTop - element.clientHeight
        if (isEndThere && below <= END_PX) {
          anchor.current = 'end'
          return
        }
        const { top } = element.getBoundingClientRect()
        const first = firstChild(list.current, (child) => child.getBoundingClientRect().bottom > top)
        let row: Element | null = list.current.children[first] ?? null
        while (row && !row.hasAttribute('data-key')) row = row.nextElementSibling
        const key = row?.getAttribute('data-key') ?? null
        anchor.current = row && key !== null ? { key, offsetPx: row.getBoundingClientRect().top - top } : null
      },

      restore(): void {
        const element = scroller.current
        const held = anchor.current
        if (!element || held === null) return
        const scrolledPx = element.scrollTop - seenTopPx.current
        if (held === 'end') {
          if (scrolledPx < 0) return
          element.scrollTop = element.scrollHeight
          seenTopPx.current = element.scrollTop
          return
        }
        const row = rowOf(list.current, held.key)
        if (!row) return
        held.offsetPx -= scrolledPx
        const moved = row.getBoundingClientRect().top - element.getBoundingClientRect().top - held.offsetPx
        if (Math.abs(moved) >= 0.5) element.scrollTop += moved
        seenTopPx.current = element.scrollTop
      },
    }),
    [scroller, list],
  )
}
