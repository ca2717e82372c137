import { useState } from 'preact/hooks'
import { Button } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

export interface SignInProps {
  /** Why one is asked again. */
  error?: string | undefined
  onToken(token: string): void
}

/** Asks for a token of the app's. */
export function SignIn({ error, onToken }: SignInProps) {
  const { words } = useLanguage()
  const [token, setToken] = useState('')
  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim()) onToken(token.trim())
        }}
      >
        <span class="empty-icon">
          <Icon name="message" size={28} />
        </span>
        <h1>{words.signIn.title}</h1>
        <p class="soft">{words.signIn.text}</p>
        <TextField
          label={words.signIn.token}
          value={token}
          onInput={setToken}
          error={error}
          spellcheck={false}
          autofocus
        />
        <Button look="primary" type="submit">
          {words.signIn.submit}
        </Button>
      </form>
    </main>
  )
}
