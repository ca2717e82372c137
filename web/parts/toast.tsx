import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { Button } from './button.js'
import { Icon } from './icon.js'

export interface ToastOptions {
  isError?: boolean
  action?: { label: string; onSelect(): void }
}

/** Says something for some seconds. */
export type ShowToast = (text: string, options?: ToastOptions) => void

interface Shown extends ToastOptions {
  id: number
  text: string
}

const SHOWN_MS = 6_000
const MAX_SHOWN = 3

const ToastContext = createContext<ShowToast>(() => {})

/** How a component below a `ToastArea` says something. */
export const useToast = (): ShowToast => useContext(ToastContext)

/** Where what was said is shown; errors are told to a screen reader at once, the rest when it pauses. */
export function ToastArea({ children }: { children: ComponentChildren }) {
  const [shown, setShown] = useState<Shown[]>([])
  const next = useRef(0)
  const show = useCallback<ShowToast>((text, options = {}) => {
    next.current += 1
    const toast = { ...options, text, id: next.current }
    setShown((others) => [...others.filter((other) => other.text !== text), toast].slice(-MAX_SHOWN))
  }, [])
  const hide = useCallback((id: number) => setShown((all) => all.filter((toast) => toast.id !== id)), [])
  const list = (isError: boolean) =>
    shown
      .filter((toast) => (toast.isError ?? false) === isError)
      .map((toast) => <Toast key={toast.id} {...toast} onHide={hide} />)

  return (
    <ToastContext.Provider value={show}>
      {children}
      <div class="toasts">
        <div role="status">{list(false)}</div>
        <div role="alert">{list(true)}</div>
      </div>
    </ToastContext.Provider>
  )
}

function Toast({ id, text, isError, action, onHide }: Shown & { onHide(id: number): void }) {
  useEffect(() => {
    const timer = setTimeout(() => onHide(id), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [id, onHide])
  return (
    <div class={isError ? 'toast toast-error' : 'toast'}>
      <Icon name={isError ? 'error' : 'check'} size={18} />
      <span>{text}</span>
      {action && (
        <Button
          look="quiet"
          onClick={() => {
            onHide(id)
            action.onSelect()
          }}
        >
          {action.label}
        </Button>
      )}
    </div>
  )
}
