import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { ChatClient } from '../../client/src/index.js'
import { useStore } from '../../client/src/react.js'
import { unregister } from '../push/device.js'
import { LanguageProvider, languageOf, useLanguage } from '../words/index.js'
import { PageProvider } from './context.js'
import { Demo } from './demo.js'
import { Person } from './person.js'
import { applyPreferences, type Preferences, readPreferences } from './preferences.js'
import { ServiceProvider, useFetchedService } from './service.js'
import { createSession, fetchDemoTokens, keptToken } from './session.js'
import { SignIn } from './sign-in.js'

/** So long a way out waits for the service to forget this browser. */
const SIGN_OUT_MS = 2_000

/** The whole page: the people of the demo, or whoever signs in. */
export function Page() {
  const [preferences, setPreferences] = useState<Preferences>(readPreferences)
  useEffect(() => applyPreferences(preferences), [preferences])
  const change = useCallback(
    (changes: Partial<Preferences>) => setPreferences((before) => ({ ...before, ...changes })),
    [],
  )
  const page = useMemo(() => ({ preferences, change }), [preferences, change])
  const language = useMemo(() => languageOf(preferences.language), [preferences.language])

  const service = useFetchedService(new URL('.', document.baseURI).href)
  const [hasDemo, setHasDemo] = useState<boolean | null>(null)
  const [token, setToken] = useState(keptToken.get)
  useEffect(() => {
    if (token === null)
      fetchDemoTokens().then(
        (tokens) => setHasDemo(tokens !== null),
        () => setHasDemo(false),
      )
  }, [token])

  const signIn = (token: string): void => {
    keptToken.set(token)
    setToken(token)
  }
  const signOut = (): void => {
    keptToken.forget()
    setToken(null)
  }
  return (
    <PageProvider value={page}>
      <LanguageProvider value={language}>
        <ServiceProvider value={service}>
          {token !== null ? (
            <SignedIn key={token} token={token} onToken={signIn} onSignOut={signOut} />
          ) : hasDemo === null ? null : hasDemo ? (
            <Demo />
          ) : (
            <SignIn onToken={signIn} />
          )}
        </ServiceProvider>
      </LanguageProvider>
    </PageProvider>
  )
}

interface SignedInProps {
  token: string
  onToken(token: string): void
  onSignOut(): void
}

function SignedIn({ token, onToken, onSignOut }: SignedInProps) {
  const client = useClient(() => token)
  return client && <MaybeRefused client={client} onToken={onToken} onSignOut={onSignOut} />
}

/** A client that lives as long as the component. */
export function useClient(getToken: () => string | Promise<string>): ChatClient | null {
  const [client, setClient] = useState<ChatClient | null>(null)
  useEffect(() => {
    const made = createSession(getToken)
    setClient(made)
    return () => void made.close()
  }, [])
  return client
}

interface MaybeRefusedProps extends Omit<SignedInProps, 'token'> {
  client: ChatClient
}

/** Whoever was never let in is asked for a token; whoever was keeps what is on the screen, and a banner asks. */
function MaybeRefused({ client, onToken, onSignOut }: MaybeRefusedProps) {
  const { words } = useLanguage()
  const { state, error } = useStore(client.connection)
  const me = useStore(client.me)
  const [isAsked, setAsked] = useState(false)
  const isOut = state === 'refused' || state === 'needs-token'
  if (isOut && (me === null || isAsked)) {
    return <SignIn onToken={onToken} error={error ? words.errors[error.code] : me ? words.signIn.again : undefined} />
  }
  return (
    <main class="alone">
      <h1 class="heard">{words.appName}</h1>
      <Person
        client={client}
        isShown
        onSignInAgain={() => setAsked(true)}
        onSignOut={() => {
          void signOut(client).then(onSignOut)
        }}
      />
    </main>
  )
}

/** Nothing of who signs out stays here, and this browser is no longer told of their messages. */
async function signOut(client: ChatClient): Promise<void> {
  // Nobody waits for long to get out: what is not done by then goes on, as far as it can.
  const patience = new Promise((resolve) => setTimeout(resolve, SIGN_OUT_MS))
  await Promise.race([unregister(client).catch(() => {}), patience])
  await client.close({ forget: true })
}
