import { useMemo, useRef, useState } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { useChats, useConnection, useMe, usePresence } from '../../client/src/react.js'
import { useLandmark } from '../app/owner.js'
import { Avatar } from '../parts/avatar.js'
import { Button, IconButton } from '../parts/button.js'
import { EmptyState } from '../parts/empty-state.js'
import { Icon } from '../parts/icon.js'
import { Choice } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'
import { ChatList } from './chat-list.js'
import { NewChat } from './new-chat.js'
import { SearchResults } from './search-results.js'

type Filter = 'active' | 'unread' | 'archived'

export interface SidebarProps {
  openId: string | null
  onOpen(chatId: string, seq?: number): void
  onAccount(): void
}

/** Who one is, a search, and one's chats. */
export function Sidebar({ openId, onOpen, onAccount }: SidebarProps) {
  const { words } = useLanguage()
  const landmark = useLandmark()
  const ref = useRef<HTMLElement>(null)
  const me = useMe()
  const { state } = useConnection()
  const all = useChats('all')
  const [filter, setFilter] = useState<Filter>('active')
  const [query, setQuery] = useState('')
  const [isNew, setNew] = useState(false)
  const shown = useShown(filter, openId)
  const ownPresence = usePresence(me ? [me.userId] : [])[me?.userId ?? '']
  const isSearching = query.trim() !== ''

  return (
    <nav ref={ref} class="sidebar" aria-label={landmark(words.list.title)}>
      <header class="sidebar-header">
        {me && (
          <button type="button" class="me" onClick={onAccount}>
            <Avatar
              id={me.userId}
              name={me.name}
              url={me.avatarUrl}
              presence={state === 'online' ? ownPresence?.status : undefined}
            />
            <span class="heard">{words.account.menu(me.name)}</span>
            <span class="me-name one-line" dir="auto" aria-hidden="true">
              {me.name}
            </span>
          </button>
        )}
        <IconButton icon="add" label={words.list.newChat} onClick={() => setNew(true)} />
      </header>
      <search class="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          dir="auto"
          value={query}
          placeholder={words.list.search}
          aria-label={words.list.search}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && query !== '') {
              event.preventDefault()
              setQuery('')
            }
            if (event.key !== 'ArrowDown') return
            event.preventDefault()
            ref.current?.querySelector<HTMLElement>('.chat-row')?.focus()
          }}
        />
        {isSearching && <IconButton icon="close" label={words.list.clearSearch} onClick={() => setQuery('')} />}
      </search>
      {isSearching ? (
        <div class="sidebar-scroll">
          <SearchResults query={query.trim()} chats={all} openId={openId} onOpen={onOpen} />
        </div>
      ) : (
        <>
          <Choice
            label={words.list.filters}
            value={filter}
            onChange={(filter) => setFilter(filter)}
            options={[
              { value: 'active', label: words.list.all },
              { value: 'unread', label: words.list.unread },
              { value: 'archived', label: words.list.archived },
            ]}
          />
          <div class="sidebar-scroll">
            {shown.length > 0 ? (
              <ChatList chats={shown} label={words.list.title} openId={openId} onOpen={onOpen} />
            ) : (
              me && <Nothing filter={filter} onNew={() => setNew(true)} />
            )}
          </div>
        </>
      )}
      {isNew && <NewChat onClose={() => setNew(false)} onOpen={onOpen} />}
    </nav>
  )
}

/** The chats of a filter. What one reads stays among the unread ones while it is open: it would run away under the hand. */
function useShown(filter: Filter, openId: string | null): MyChat[] {
  const chats = useChats('all')
  return useMemo(
    () =>
      chats.filter(({ chatId, settings, unreadCount }) => {
        if (settings.isHidden) return false
        if (filter === 'archived') return settings.isArchived
        if (settings.isArchived) return false
        return filter === 'active' || unreadCount > 0 || settings.isMarkedUnread || chatId === openId
      }),
    [chats, filter, openId],
  )
}

function Nothing({ filter, onNew }: { filter: Filter; onNew(): void }) {
  const { words } = useLanguage()
  if (filter === 'unread') {
    return <EmptyState icon="checks" title={words.list.noUnreadTitle} text={words.list.noUnreadText} />
  }
  if (filter === 'archived') {
    return <EmptyState icon="archive" title={words.list.noArchivedTitle} text={words.list.noArchivedText} />
  }
  return (
    <EmptyState icon="message" title={words.list.emptyTitle} text={words.list.emptyText}>
      <Button look="primary" icon="add" onClick={onNew}>
        {words.list.newChat}
      </Button>
    </EmptyState>
  )
}
