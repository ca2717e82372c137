import { useSyncExternalStore } from 'preact/compat'
import type { Message } from '../../client/src/index.js'
import { useChatClient, useRoom } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { IconButton } from '../parts/button.js'
import { Confirm } from '../parts/dialog.js'
import { type MenuItem, MenuList } from '../parts/menu.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'
import { useRoomActions } from './context.js'
import { Readers } from './message-readers.js'
import { ReactionPicker } from './reactions.js'

/** What one is in a chat, as far as its messages ask. */
export type Standing = 'peer' | 'member' | 'admin'

/** One's standing in a chat; renders for nothing else of the chat, which changes with every message. */
export function useStanding(chatId: string): Standing {
  const { chat } = useChatClient().room(chatId)
  return useSyncExternalStore(chat.subscribe, () => {
    const now = chat.get()
    if (now?.type === 'direct') return 'peer'
    return now?.myRole === 'owner' || now?.myRole === 'admin' ? 'admin' : 'member'
  })
}

/** What is open at a message, and where. */
export type OpenAt = { what: 'menu' | 'picker' | 'readers' | 'remove'; anchor: Element } | null

/** The keys of a message that has the focus. */
const KEYS: Readonly<Record<string, ActionName>> = {
  r: 'reply',
  e: 'edit',
  c: 'copy',
  p: 'pin',
  Delete: 'remove',
  '+': 'react',
}

type ActionName = 'reply' | 'react' | 'edit' | 'copy' | 'pin' | 'remove' | 'report'
type Actions = Partial<Record<ActionName, MenuItem>>

export interface MessageActionsProps {
  message: Message
  isMine: boolean
  standing: Standing
  open: OpenAt
  onOpen(open: OpenAt): void
}

/** What one may do with a message, by name; what one may not is left out. */
function useActions({ message, isMine, standing, onOpen }: MessageActionsProps, anchor: Element | null): Actions {
  const room = useChatClient().room(message.chatId)
  const run = useRun()
  const toast = useToast()
  const { compose, onReport } = useRoomActions()
  const { words } = useLanguage()
  const isPinned = message.pinnedAt !== null
  const { content } = message
  const say = words.message
  const open = (what: 'picker' | 'remove') => anchor && onOpen({ what, anchor })

  const actions: Actions = {
    react: { label: say.react, icon: 'react', onSelect: () => open('picker') },
    reply: { label: say.reply, icon: 'reply', onSelect: () => compose({ kind: 'reply', message }) },
  }
  if (isMine && content !== null) {
    actions.edit = { label: say.edit, icon: 'edit', onSelect: () => compose({ kind: 'edit', message }) }
  }
  // Where the page is not from a safe origin, there is no clipboard.
  if (content !== null && 'clipboard' in navigator) {
    const copy = () => navigator.clipboard.writeText(content).then(() => toast(say.copied))
    actions.copy = { label: say.copy, icon: 'copy', onSelect: () => void run(copy) }
  }
  if (standing !== 'member') {
    const pin = () => run(() => room.pin(message.id, !isPinned))
    actions.pin = { label: isPinned ? words.room.unpin : say.pin, icon: 'pin', onSelect: () => void pin() }
  }
  if (isMine || standing === 'admin') {
    actions.remove = { label: say.remove, icon: 'delete', isDanger: true, onSelect: () => open('remove') }
  }
  if (!isMine) {
    actions.report = { label: say.report, icon: 'report', isDanger: true, onSelect: () => onReport(message) }
  }
  return actions
}

/** Does what a key asks of a message; answers whether there was something to do. */
export type PressKey = (key: string) => boolean

export interface MessageToolsProps extends MessageActionsProps {
  /** The message itself; null before it is in the page. */
  row: Element | null
  isCurrent: boolean
  /** Where to put what the message's keys do. */
  keys: { current: PressKey | null }
}

/** The buttons at a message, and what they open: its menu, the emoji, the question before it is deleted. */
export function MessageTools(props: MessageToolsProps) {
  const { message, isMine, open, onOpen, row, isCurrent, keys } = props
  const room = useChatClient().room(message.chatId)
  const { marks } = useRoom(message.chatId)
  const run = useRun()
  const { words } = useLanguage()
  const actions = useActions(props, row)
  keys.current = (key) => {
    if (key === 'Enter' && row) onOpen({ what: 'menu', anchor: row })
    const name = KEYS[key]
    if (name) actions[name]?.onSelect()
    return key === 'Enter' || (name !== undefined && actions[name] !== undefined)
  }
  const tabIndex = isCurrent ? 0 : -1
  const { react, reply, edit, copy, pin, remove, report } = actions
  const readers = isMine ? marks.readBy(message.seq) : []
  const read: MenuItem | undefined =
    readers.length > 0
      ? {
          label: words.message.readByCount(readers.length),
          icon: 'checks',
          onSelect: () => row && onOpen({ what: 'readers', anchor: row }),
        }
      : undefined
  const items = [reply, react, edit, copy, pin, read, null, remove, report]
  const close = (): void => onOpen(null)
  return (
    <>
      <div class="message-tools">
        <IconButton
          icon="react"
          tabIndex={tabIndex}
          label={words.message.addReaction}
          aria-haspopup="dialog"
          onClick={({ currentTarget }) => onOpen({ what: 'picker', anchor: currentTarget })}
        />
        <IconButton icon="reply" tabIndex={tabIndex} label={words.message.reply} onClick={() => reply?.onSelect()} />
        <IconButton
          icon="more"
          tabIndex={tabIndex}
          label={words.message.menu}
          aria-haspopup="menu"
          onClick={({ currentTarget }) => onOpen({ what: 'menu', anchor: currentTarget })}
        />
      </div>
      {open?.what === 'menu' && (
        <MenuList
          label={words.message.menu}
          anchor={open.anchor}
          align="end"
          onClose={close}
          items={items.filter((item) => item !== undefined)}
        />
      )}
      {open?.what === 'picker' && <ReactionPicker message={message} anchor={open.anchor} onClose={close} />}
      {open?.what === 'readers' && <Readers userIds={readers} anchor={open.anchor} onClose={close} />}
      {open?.what === 'remove' && (
        <Confirm
          title={words.message.removeTitle}
          text={words.message.removeText}
          confirmLabel={words.message.remove}
          cancelLabel={words.cancel}
          onConfirm={() => void run(() => room.remove(message.id))}
          onClose={close}
        />
      )}
    </>
  )
}
