import { useEffect, useState } from 'preact/hooks'
import type { ChatClient } from '../../client/src/index.js'
import { useStore } from '../../client/src/react.js'
import { Avatar } from '../parts/avatar.js'
import { Badge } from '../parts/badge.js'
import { useLanguage } from '../words/index.js'
import { Person } from './person.js'
import { createSession, fetchDemoTokens } from './session.js'
import { useMedia } from './use-media.js'

const PEOPLE = ['alice', 'bob'] as const
/** As wide as two small apps need. */
const WIDE = '(min-width: 1100px)'

/** The two people of the demo: side by side where there is room, else one, and a switch. */
export function Demo() {
  const { words } = useLanguage()
  const isWide = useMedia(WIDE)
  const [clients, setClients] = useState<ChatClient[]>([])
  const [shown, setShown] = useState(0)
  useEffect(() => {
    // Asked for anew at each connection: a page may stay open for longer than a token lives.
    const made = PEOPLE.map((userId) => createSession(async () => (await fetchDemoTokens())?.[userId] ?? ''))
    setClients(made)
    return () => {
      for (const client of made) void client.close()
    }
  }, [])

  return (
    <main class={isWide ? 'demo demo-wide' : 'demo'}>
      <h1 class="heard">{words.appName}</h1>
      {!isWide && (
        <nav class="demo-switch" aria-label={words.demo.people}>
          {clients.map((client, i) => (
            <PersonTab key={PEOPLE[i]} client={client} isShown={i === shown} onShow={() => setShown(i)} />
          ))}
        </nav>
      )}
      {clients.map((client, i) => (
        <Person key={PEOPLE[i]} client={client} isShown={isWide || i === shown} isOneOfTwo />
      ))}
    </main>
  )
}

interface PersonTabProps {
  client: ChatClient
  isShown: boolean
  onShow(): void
}

function PersonTab({ client, isShown, onShow }: PersonTabProps) {
  const { words } = useLanguage()
  const me = useStore(client.me)
  const { messages } = useStore(client.unread)
  if (!me) return null
  return (
    <button type="button" class="demo-tab" aria-pressed={isShown} onClick={onShow}>
      <Avatar id={me.userId} name={me.name} url={me.avatarUrl} size="s" />
      <span dir="auto">{me.name}</span>
      {messages > 0 && <Badge label={words.list.unreadCount(messages, false)}>{String(messages)}</Badge>}
    </button>
  )
}
