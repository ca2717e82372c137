import type { RefObject } from 'preact'
import { useCallback, useEffect } from 'preact/hooks'
import { firstChild } from './use-anchor.js'

/** What of a message may still be out of view. */
const EDGE_PX = 4

/** Whether somebody looks at the page. */
export const isAttended = (): boolean => document.visibilityState === 'visible' && document.hasFocus()

/** The seq of the lowest message whose end is in view; null where there is none. */
function lastSeen(scroller: HTMLElement, list: HTMLElement): number | null {
  const bottom = scroller.getBoundingClientRect().bottom + EDGE_PX
  const beyond = firstChild(list, (child) => child.getBoundingClientRect().bottom > bottom)
  let row: Element | null = list.children[beyond - 1] ?? null
  while (row && !row.hasAttribute('data-seq')) row = row.previousElementSibling
  return row ? Number(row.getAttribute('data-seq')) : null
}

/** Answers a function that marks as read what is seen: in view, of a page that somebody looks at. It runs by itself when one comes back to the page. */
export function useReading(
  scroller: RefObject<HTMLElement | null>,
  list: RefObject<HTMLElement | null>,
  read: (upToSeq: number) => void,
): () => void {
  const readSeen = useCallback((): void => {
    if (!scroller.current || !list.current || scroller.current.clientHeight === 0 || !isAttended()) return
    const seq = lastSeen(scroller.current, list.current)
    if (seq !== null) read(seq)
  }, [scroller, list, read])

  useEffect(() => {
    window.addEventListener('focus', readSeen)
    document.addEventListener('visibilitychange', readSeen)
    return () => {
      window.removeEventListener('focus', readSeen)
      document.removeEventListener('visibilitychange', readSeen)
    }
  }, [readSeen])
  return readSeen
}
