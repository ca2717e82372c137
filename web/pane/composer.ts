import { part } from '../dom.js'

/** What the composer tells of. */
export interface ComposerEvents {
  onSend(content: string): void
  /** Called every few seconds while something is typed, and with false when it is no longer. */
  onType(isTyping: boolean): void
}

const TYPING_AGAIN_MS = 3_000

/** Where one writes: Enter sends, Shift and Enter begin a line. */
export function createComposer(pane: HTMLElement, { onSend, onType }: ComposerEvents) {
  const form = part(pane, '.composer', HTMLFormElement)
  const field = part(form, 'textarea', HTMLTextAreaElement)
  const button = part(form, 'button', HTMLButtonElement)
  let typedAt = 0

  function stopTyping(): void {
    if (typedAt > 0) onType(false)
    typedAt = 0
  }

  field.addEventListener('input', () => {
    if (field.value.trim() === '') return stopTyping()
    if (Date.now() - typedAt <= TYPING_AGAIN_MS) return
    typedAt = Date.now()
    onType(true)
  })
  field.addEventListener('blur', stopTyping)
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (button.disabled || field.value.trim() === '') return
    const content = field.value
    field.value = ''
    onSend(content)
    stopTyping()
  })

  return {
    focus: (): void => field.focus({ preventScroll: true }),

    render(canWrite: boolean, words: string): void {
      field.disabled = !canWrite
      button.disabled = !canWrite
      field.placeholder = words
      field.setAttribute('aria-label', words || 'Message')
    },
  }
}
