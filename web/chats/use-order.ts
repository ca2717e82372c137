import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Lets rows glide to where they belong when a list is sorted anew; who wants less motion sees them there at once. Each child of the list has
 * a `data-key`. Only rows near the window are moved.
 */
export function useOrder(list: { current: HTMLElement | null }, keys: string): void {
  const tops = useRef(new Map<string, number>())
  useLayoutEffect(() => {
    const before = tops.current
    const rows = [...(list.current?.children ?? [])].filter((row) => row instanceof HTMLElement)
    tops.current = new Map(rows.map((row) => [row.dataset.key ?? '', row.offsetTop]))
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
    for (const row of rows) {
      const from = before.get(row.dataset.key ?? '')
      const way = from === undefined ? 0 : from - row.offsetTop
      if (way === 0 || Math.abs(way) > innerHeight) continue
      row.animate([{ transform: `translateY(${way}px)` }, { transform: 'none' }], {
        duration: 220,
        easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)',
      })
    }
  }, [list, keys])
}
