import { useState } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { useChatClient, useStore } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { nameOfChat, peerOf } from '../chats/names.js'
import { Avatar } from '../parts/avatar.js'
import { Button, IconButton } from '../parts/button.js'
import { Confirm } from '../parts/dialog.js'
import { Sheet } from '../parts/sheet.js'
import { TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'
import { Bans } from './bans.js'
import { Members } from './members.js'
import { OwnSettings } from './own-settings.js'
import { Rules } from './rules.js'
import { useOthers } from './use-others.js'

export interface InfoSheetProps {
  chat: MyChat
  onClose(): void
  onOpen(chatId: string): void
  onLeft(): void
}

/** Everything about a chat but its messages. */
export function InfoSheet({ chat, onClose, onOpen, onLeft }: InfoSheetProps) {
  const { words } = useLanguage()
  const isGroup = chat.type === 'group'
  const isAdmin = isGroup && chat.myRole !== 'member'
  return (
    <Sheet title={words.info.title} closeLabel={words.close} onClose={onClose}>
      <Face chat={chat} canRename={isAdmin} />
      <OwnSettings chat={chat} onHidden={onLeft} />
      {isGroup && <Members chat={chat} onOpen={onOpen} />}
      {isAdmin && <Rules chat={chat} />}
      {isAdmin && <Bans chat={chat} />}
      {isGroup ? <Leave chat={chat} onLeft={onLeft} /> : <Block chat={chat} />}
    </Sheet>
  )
}

function Face({ chat, canRename }: { chat: MyChat; canRename: boolean }) {
  const client = useChatClient()
  const run = useRun()
  const { words, dates } = useLanguage()
  const [title, setTitle] = useState<string | null>(null)
  const peer = peerOf(chat)
  const presence = useOthers(peer ? [peer.userId] : [])[peer?.userId ?? '']
  const name = nameOfChat(chat, words)

  const rename = async (): Promise<void> => {
    const next = title?.trim() ?? ''
    if (next === '' || next === chat.title) return setTitle(null)
    if (await run(() => client.command('update_chat', { chatId: chat.chatId, title: next }))) setTitle(null)
  }
  const about = () => {
    if (chat.type === 'group') return words.info.members(chat.memberCount)
    if (!presence) return words.info.direct
    const { isOnline, lastSeenAt, status } = presence
    return !isOnline && lastSeenAt !== null ? words.presence.lastSeen(dates.seen(lastSeenAt)) : words.presence[status]
  }
  return (
    <div class="face">
      <Avatar
        id={peer?.userId ?? chat.chatId}
        name={name}
        url={peer?.avatarUrl ?? null}
        presence={presence?.status}
        size="l"
        isGroup={chat.type === 'group'}
      />
      {title === null ? (
        <p class="face-name">
          <bdi>{name}</bdi>
          {canRename && <IconButton icon="edit" label={words.info.rename} onClick={() => setTitle(chat.title ?? '')} />}
        </p>
      ) : (
        <form
          class="inline-form"
          onSubmit={(event) => {
            event.preventDefault()
            void rename()
          }}
        >
          <TextField label={words.info.name} value={title} onInput={setTitle} maxLength={200} autofocus />
          <Button look="primary" type="submit">
            {words.save}
          </Button>
        </form>
      )}
      <p class="soft">{about()}</p>
      {peer && <p class="soft face-id">{peer.userId}</p>}
    </div>
  )
}

function Leave({ chat, onLeft }: { chat: MyChat; onLeft(): void }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const [isAsked, setAsked] = useState(false)
  const leave = async (): Promise<void> => {
    if (await run(() => client.command('leave_chat', { chatId: chat.chatId }))) onLeft()
  }
  return (
    <section class="info-end">
      <Button look="danger" icon="leave" onClick={() => setAsked(true)}>
        {words.info.leave}
      </Button>
      {isAsked && (
        <Confirm
          title={words.info.leaveTitle}
          text={words.info.leaveText}
          confirmLabel={words.info.leave}
          cancelLabel={words.cancel}
          onConfirm={() => void leave()}
          onClose={() => setAsked(false)}
        />
      )}
    </section>
  )
}

function Block({ chat }: { chat: MyChat }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const blocked = useStore(client.blockedUserIds)
  const [isAsked, setAsked] = useState(false)
  const peer = peerOf(chat)
  if (!peer) return null
  const { userId, name } = peer
  return (
    <section class="info-end">
      {blocked.includes(userId) ? (
        <>
          <p class="soft">{words.info.blocked}</p>
          <Button onClick={() => void run(() => client.command('unblock_user', { userId }))}>
            {words.info.unblock}
          </Button>
        </>
      ) : (
        <Button look="danger" icon="ban" onClick={() => setAsked(true)}>
          {words.info.block}
        </Button>
      )}
      {isAsked && (
        <Confirm
          title={words.info.blockTitle(name)}
          text={words.info.blockText}
          confirmLabel={words.info.block}
          cancelLabel={words.cancel}
          onConfirm={() => void run(() => client.command('block_user', { userId }))}
          onClose={() => setAsked(false)}
        />
      )}
    </section>
  )
}
