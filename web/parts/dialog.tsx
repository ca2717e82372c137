import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Button, IconButton } from './button.js'
import { focusedBeside } from './focus.js'

export interface DialogProps {
  title: string
  /** The name of the button that closes it. */
  closeLabel: string
  onClose(): void
  children: ComponentChildren
  /** Buttons below. */
  actions?: ComponentChildren
  /** Makes it a form; Enter submits. */
  onSubmit?(): void
}

/** A question above all else; Esc closes it, the focus stays in it and goes back afterwards. */
export function Dialog({ title, closeLabel, onClose, children, actions, onSubmit }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()

  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const before = focusedBeside(element)
    element.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])

  const submit = (event: Event): void => {
    event.preventDefault()
    onSubmit?.()
  }
  return (
    <dialog ref={ref} class="dialog" aria-labelledby={id} onClose={onClose}>
      <form class="dialog-body" onSubmit={submit}>
        <header class="dialog-header">
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={closeLabel} onClick={onClose} />
        </header>
        <div class="dialog-content">{children}</div>
        {actions && <footer class="dialog-actions">{actions}</footer>}
      </form>
    </dialog>
  )
}

export interface ConfirmProps {
  title: string
  text: string
  confirmLabel: string
  cancelLabel: string
  onConfirm(): void
  onClose(): void
}

/** Asks before something is done that cannot be undone. */
export function Confirm({ title, text, confirmLabel, cancelLabel, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      closeLabel={cancelLabel}
      onClose={onClose}
      onSubmit={() => {
        onClose()
        onConfirm()
      }}
      actions={
        <>
          <Button onClick={onClose}>{cancelLabel}</Button>
          <Button look="danger" type="submit" autofocus>
            {confirmLabel}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  )
}
