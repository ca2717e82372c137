import { useState } from 'preact/hooks'
import type { Message, MyChat } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { summaryOf } from '../chats/names.js'
import { Button, IconButton } from '../parts/button.js'
import { Dialog } from '../parts/dialog.js'
import { Icon } from '../parts/icon.js'
import { type Pages, usePages } from '../people/use-pages.js'
import { useLanguage } from '../words/index.js'
import { useRoomActions } from './context.js'

const PAGE_MESSAGES = 20

/** What is pinned in a chat: the last of it, and the way to all. */
export function PinsBar({ chat }: { chat: MyChat }) {
  const client = useChatClient()
  const { jump } = useRoomActions()
  const { words } = useLanguage()
  const [isOpen, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  // A new message moves both by one, and pins nothing; what else happens in a chat may have.
  const version = chat.revision - chat.lastSeq
  const pins = usePages<Message>(async (cursor) => {
    const input = { chatId: chat.chatId, limit: PAGE_MESSAGES, ...(cursor && { cursor }) }
    const { messages, nextCursor } = await client.command('list_pins', input)
    return { items: messages, nextCursor }
  }, version)

  const all = pins.items ?? []
  const shown = all[at % Math.max(1, all.length)]
  if (!shown) return null
  const count = pins.hasMore ? `${all.length}+` : String(all.length)
  return (
    <section class="pins" aria-label={words.room.pinned}>
      <button
        type="button"
        class="pins-last"
        onClick={() => {
          jump(shown.seq)
          setAt(at + 1)
        }}
      >
        <Icon name="pin" size={18} />
        <span class="pins-text">
          <span class="pins-title">{words.room.pinned}</span>
          <bdi class="one-line">{summaryOf(shown, words)}</bdi>
        </span>
      </button>
      <Button look="quiet" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {words.room.allPins(count)}
      </Button>
      {isOpen && <PinsDialog chat={chat} pins={pins} onClose={() => setOpen(false)} />}
    </section>
  )
}

interface PinsDialogProps {
  chat: MyChat
  pins: Pages<Message>
  onClose(): void
}

function PinsDialog({ chat, pins, onClose }: PinsDialogProps) {
  const room = useChatClient().room(chat.chatId)
  const run = useRun()
  const { jump } = useRoomActions()
  const { words, dates } = useLanguage()
  const mayPin = chat.type === 'direct' || chat.myRole !== 'member'
  return (
    <Dialog title={words.room.pinned} closeLabel={words.close} onClose={onClose}>
      <ul class="hits">
        {(pins.items ?? []).map((message) => (
          <li key={message.id} class="hit-item">
            <button
              type="button"
              class="hit"
              onClick={() => {
                onClose()
                jump(message.seq)
              }}
            >
              <span class="hit-line">
                <bdi class="hit-name one-line">{message.sender.name}</bdi>
                <time dateTime={message.createdAt}>{dates.short(message.createdAt)}</time>
              </span>
              <bdi class="hit-text">{summaryOf(message, words)}</bdi>
            </button>
            {mayPin && (
              <IconButton
                icon="close"
                label={words.room.unpin}
                onClick={async () => {
                  if (await run(() => room.pin(message.id, false), words.room.unpinned)) pins.reload()
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {pins.hasMore && (
        <Button look="quiet" onClick={pins.more}>
          {words.list.more}
        </Button>
      )}
    </Dialog>
  )
}
