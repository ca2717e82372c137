import { copyOf, part } from './dom.js'

/** A field for one's token; it stays in this tab. */
export function createSignIn(onToken: (token: string) => void) {
  const form = copyOf('token', HTMLFormElement)
  const field = part(form, 'input', HTMLInputElement)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    onToken(field.value.trim())
  })
  return { element: form, focus: (): void => field.focus() }
}
