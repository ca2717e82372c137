import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { focusedBeside } from './focus.js'

export interface PopupProps {
  /** What it stands at. */
  anchor: Element
  onClose(): void
  children: ComponentChildren
  /** Its name for a screen reader, where it is no menu of its own name. */
  label?: string
  role?: 'dialog' | 'menu' | 'listbox'
  /** Which edge of the anchor it lines up with. */
  align?: 'start' | 'end'
  /** Called with it once it is shown: to set the focus. */
  onShown?(element: HTMLElement): void
}

const GAP_PX = 6

/** Floats above all at an element; Esc, or a press elsewhere, closes it and gives the focus back. */
export function Popup({ anchor, onClose, children, label, role = 'dialog', align = 'start', onShown }: PopupProps) {
  const ref = useRef<HTMLDivElement>(null)
  const close = useRef(onClose)
  close.current = onClose

  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const before = focusedBeside(element)
    // By hand: the browser's own dismissal would take the release of a right click or a long press, which opened it, for a press elsewhere.
    const pressed = (event: PointerEvent): void => {
      // In a web component, the target of an event is the component.
      const [at] = event.composedPath()
      if (at instanceof Node && !element.contains(at) && !anchor.contains(at)) close.current()
    }
    const typed = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      event.preventDefault()
      close.current()
    }
    document.addEventListener('pointerdown', pressed, true)
    document.addEventListener('keydown', typed)
    element.showPopover()
    place(element, anchor, align)
    onShown?.(element)
    return () => {
      document.removeEventListener('pointerdown', pressed, true)
      document.removeEventListener('keydown', typed)
      const focused = focusedBeside(element)
      const hadFocus = focused === null || focused === document.body || element.contains(focused)
      if (element.matches(':popover-open')) element.hidePopover()
      if (hadFocus && before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [anchor])

  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: each of the three roles takes a label
    <div ref={ref} class="popup" popover="manual" role={role} aria-label={label}>
      {children}
    </div>
  )
}

/** Below the anchor where there is room, else above; never outside of the window. */
function place(element: HTMLElement, anchor: Element, align: 'start' | 'end'): void {
  const at = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = element
  const below = at.bottom + GAP_PX
  const fitsBelow = below + height <= innerHeight
  const top = fitsBelow ? below : at.top - GAP_PX - height
  const left = align === 'start' ? at.left : at.right - width
  const within = (value: number, max: number): number => Math.max(GAP_PX, Math.min(value, max - GAP_PX))
  element.style.top = `${within(top, innerHeight - height)}px`
  element.style.left = `${within(left, innerWidth - width)}px`
}
