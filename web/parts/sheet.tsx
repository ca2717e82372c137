import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { IconButton } from './button.js'
import { focusedBeside } from './focus.js'

export interface SheetProps {
  title: string
  closeLabel: string
  onClose(): void
  children: ComponentChildren
}

const OVERLAY = ':popover-open, dialog[open]'

/** A panel beside the room, or over it where there is little width; Esc closes it, and the focus goes back. */
export function Sheet({ title, closeLabel, onClose, children }: SheetProps) {
  const ref = useRef<HTMLElement>(null)
  const id = useId()

  const close = useRef(onClose)
  close.current = onClose

  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const before = focusedBeside(element)
    element.focus({ preventScroll: true })
    // What had the focus may be gone: then the key is the document's.
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      if (element.ownerDocument.querySelector(OVERLAY) || element.parentElement?.querySelector(OVERLAY)) return
      const focused = focusedBeside(element)
      if (!focused || focused === document.body || element.parentElement?.contains(focused)) close.current()
    }
    document.addEventListener('keydown', pressed)
    return () => {
      document.removeEventListener('keydown', pressed)
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])

  return (
    <section ref={ref} class="sheet" tabIndex={-1} aria-labelledby={id}>
      <header class="sheet-header">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label={closeLabel} onClick={onClose} />
      </header>
      {/* biome-ignore-start lint/a11y: what scrolls is reachable by keyboard, and named */}
      <div class="sheet-content" tabIndex={0} role="group" aria-labelledby={id}>
        {children}
      </div>
      {/* biome-ignore-end lint/a11y: see above */}
    </section>
  )
}
