import { useState } from 'preact/hooks'
import type { ChatClient, Message } from '../../client/src/index.js'
import { ChatProvider, useStore } from '../../client/src/react.js'
import { ConnectionBanner } from '../app/connection-banner.js'
import { ServiceProvider, useFetchedService } from '../app/service.js'
import { EmptyState } from '../parts/empty-state.js'
import { ToastArea } from '../parts/toast.js'
import { InfoSheet } from '../people/info-sheet.js'
import { ReportDialog } from '../people/report-dialog.js'
import { RoomView } from '../room/index.js'
import { type Language, LanguageProvider } from '../words/index.js'

export interface ChatRoomProps {
  client: ChatClient
  /** Where the service is. */
  home: string
  chatId: string
  language: Language
}

/** One chat, with the sheet about it over it. */
export function ChatRoom({ client, home, chatId, language }: ChatRoomProps) {
  const { words, code } = language
  const chats = useStore(client.chats)
  const service = useFetchedService(home)
  const [isInfoOpen, setInfoOpen] = useState(false)
  const [reported, setReported] = useState<Message | null>(null)
  const chat = chats.find((chat) => chat.chatId === chatId)
  const close = (): void => setInfoOpen(false)

  return (
    <LanguageProvider value={language}>
      <ServiceProvider value={service}>
        <ChatProvider client={client}>
          <section class="person person-narrow" lang={code} aria-label={words.appName}>
            <ToastArea>
              <ConnectionBanner onSignInAgain={undefined} />
              <div class="person-columns">
                <div class="person-room">
                  {chat ? (
                    <RoomView
                      key={chatId}
                      client={client}
                      chatId={chatId}
                      target={null}
                      onBack={null}
                      onOpenPeople={() => setInfoOpen(!isInfoOpen)}
                      onReport={setReported}
                    />
                  ) : (
                    <Outside client={client} language={language} />
                  )}
                </div>
                {isInfoOpen && chat && <InfoSheet chat={chat} onClose={close} onOpen={close} onLeft={close} />}
              </div>
              {reported && <ReportDialog message={reported} onClose={() => setReported(null)} />}
            </ToastArea>
          </section>
        </ChatProvider>
      </ServiceProvider>
    </LanguageProvider>
  )
}

/** Why there is no chat: nobody is let in yet, or not in this one. */
function Outside({ client, language: { words } }: { client: ChatClient; language: Language }) {
  const { state, error, closing } = useStore(client.connection)
  if (state === 'online') {
    return <EmptyState icon="message" title={words.widget.outside} text={words.widget.outsideText} />
  }
  if (state !== 'refused' && state !== 'needs-token') {
    return <p class="person-waits soft">{words.connection.connecting}</p>
  }
  const why = closing ? words.closings[closing.code] : error ? words.errors[error.code] : ''
  return <EmptyState icon="error" title={words.widget.signedOut} text={why} />
}
