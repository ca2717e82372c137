import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { ChatClient } from '../../client/src/index.js'
import { ChatProvider, useStore } from '../../client/src/react.js'
import type { Message } from '../../client/src/wire.js'
import { AccountSheet } from '../account/account-sheet.js'
import { Sidebar } from '../chats/sidebar.js'
import { EmptyState } from '../parts/empty-state.js'
import { ToastArea } from '../parts/toast.js'
import { InfoSheet } from '../people/info-sheet.js'
import { ReportDialog } from '../people/report-dialog.js'
import { useOpened } from '../push/use-opened.js'
import { usePushStart } from '../push/use-push.js'
import { RoomView } from '../room/index.js'
import { useLanguage } from '../words/index.js'
import { ConnectionBanner } from './connection-banner.js'
import { useNotices } from './notices.js'
import { OwnerProvider } from './owner.js'
import { useWidth } from './use-media.js'

export interface PersonProps {
  client: ChatClient
  /** On a narrow screen one of the demo's two is not. */
  isShown: boolean
  /** Whether there is another person's app on the page. */
  isOneOfTwo?: boolean
  onSignInAgain?: () => void
  onSignOut?: () => void
}

/** List and room stand side by side from here on, and the sheet beside them. */
const TWO_COLUMNS_PX = 600
const THREE_COLUMNS_PX = 1_040

type Open = { chatId: string; target: { seq: number } | null } | null

/** One person's app: chats, the open room, and a sheet about the chat or oneself. */
export function Person({ client, isShown, isOneOfTwo = false, onSignInAgain, onSignOut }: PersonProps) {
  const { words } = useLanguage()
  const ref = useRef<HTMLElement>(null)
  const width = useWidth(ref)
  const me = useStore(client.me)
  const chats = useStore(client.chats)
  const [open, setOpen] = useState<Open>(null)
  const [sheet, setSheet] = useState<'chat' | 'account' | null>(null)
  const [reported, setReported] = useState<Message | null>(null)

  const isNarrow = width !== null && width < TWO_COLUMNS_PX
  const hasThree = width !== null && width >= THREE_COLUMNS_PX
  const show = useCallback((chatId: string, seq?: number) => {
    setOpen({ chatId, target: seq === undefined ? null : { seq } })
    setSheet((sheet) => (sheet === 'account' ? null : sheet))
  }, [])
  const back = useCallback(() => {
    setOpen(null)
    setSheet(null)
  }, [])
  useNotices(client, show)

  // Where there is room beside the list, the first chat is open from the start.
  const first = chats.find(({ settings }) => !settings.isArchived && !settings.isHidden)?.chatId
  useEffect(() => {
    if (open === null && width !== null && !isNarrow && first !== undefined) show(first)
  }, [open === null, width === null, isNarrow, first])

  usePushStart(client)
  // After the above, for what was clicked goes before what is first.
  useOpened(client, show)

  const chat = chats.find(({ chatId }) => chatId === open?.chatId)
  const hidesList = isNarrow && (open !== null || sheet === 'account')
  return (
    <ChatProvider client={client}>
      <OwnerProvider value={isOneOfTwo && me ? me.name : null}>
        <section
          ref={ref}
          class={`person${isNarrow ? ' person-narrow' : ''}${sheet && hasThree ? ' person-three' : ''}`}
          aria-label={me?.name ?? words.loading}
          hidden={!isShown}
        >
          <ToastArea>
            <ConnectionBanner onSignInAgain={onSignInAgain} />
            <div class="person-columns">
              <div class="person-list" hidden={hidesList}>
                <Sidebar
                  openId={chat?.chatId ?? null}
                  onOpen={show}
                  onAccount={() => setSheet(sheet === 'account' ? null : 'account')}
                />
              </div>
              {chat && open ? (
                <div class="person-room" hidden={isNarrow && sheet === 'account'}>
                  <RoomView
                    key={chat.chatId}
                    client={client}
                    chatId={chat.chatId}
                    target={open.target}
                    onBack={isNarrow ? back : null}
                    onOpenPeople={() => setSheet(sheet === 'chat' ? null : 'chat')}
                    onReport={setReported}
                  />
                </div>
              ) : (
                !isNarrow && (
                  <div class="person-room">
                    {me && <EmptyState icon="message" title={words.list.pickTitle} text={words.list.pickText} />}
                  </div>
                )
              )}
              {sheet === 'chat' && chat && (
                <InfoSheet key={chat.chatId} chat={chat} onClose={() => setSheet(null)} onOpen={show} onLeft={back} />
              )}
              {sheet === 'account' && <AccountSheet onClose={() => setSheet(null)} onSignOut={onSignOut} />}
            </div>
            {reported && <ReportDialog message={reported} onClose={() => setReported(null)} />}
          </ToastArea>
        </section>
      </OwnerProvider>
    </ChatProvider>
  )
}
