import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { IconButton } from './button.js'

export interface SheetProps {
  title: string
  closeLabel: string
  onClose(): void
  children: ComponentChildren
}

/** A panel beside the room, or over it where there is little width; Esc closes it, and the focus goes back. */
export function Sheet({ title, closeLabel, onClose, children }: SheetProps) {
  const ref = useRef<HTMLElement>(null)
  const id = useId()

  useLayoutEffect(() => {
    const before = document.activeElement
    ref.current?.focus({ preventScroll: true })
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])

  return (
    <aside
      ref={ref}
      class="sheet"
      tabIndex={-1}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.stopPropagation()
        onClose()
      }}
    >
      <header class="sheet-header">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label={closeLabel} onClick={onClose} />
      </header>
      {/* biome-ignore-start lint/a11y: what scrolls is reachable by keyboard, and named */}
      <div class="sheet-content" tabIndex={0} role="group" aria-labelledby={id}>
        {children}
      </div>
      {/* biome-ignore-end lint/a11y: see above */}
    </aside>
  )
}
