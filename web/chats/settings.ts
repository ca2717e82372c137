import { useCallback } from 'preact/hooks'
import type { ChatSettings, MyChat } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import type { MenuItem } from '../parts/menu.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'
import { FOREVER, isMuted } from './names.js'

const HOUR_MS = 3_600_000

/** Changes what one has set for a chat; says why where it is refused. */
export function useSetChat(): (chatId: string, settings: Partial<ChatSettings>) => Promise<boolean> {
  const client = useChatClient()
  const run = useRun()
  return useCallback(
    (chatId, settings) => run(() => client.command('set_chat_settings', { chatId, ...settings })),
    [client, run],
  )
}

/** For how long a chat may be muted, or that it is heard again. */
export function useMuteItems(chat: MyChat): MenuItem[] {
  const set = useSetChat()
  const { words } = useLanguage()
  const mute = (mutedUntil: string | null) => () => void set(chat.chatId, { mutedUntil })
  const inHours = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString()
  if (isMuted(chat)) return [{ label: words.chatMenu.unmute, icon: 'bell', onSelect: mute(null) }]
  return [
    { label: words.chatMenu.muteHour, icon: 'mute', onSelect: () => mute(inHours(1))() },
    { label: words.chatMenu.muteHours, icon: 'mute', onSelect: () => mute(inHours(8))() },
    { label: words.chatMenu.muteForever, icon: 'mute', onSelect: mute(FOREVER) },
  ]
}

/** Everything that one may do with a chat of the list. */
export function useChatItems(chat: MyChat): (MenuItem | null)[] {
  const client = useChatClient()
  const set = useSetChat()
  const run = useRun()
  const toast = useToast()
  const { words } = useLanguage()
  const muteItems = useMuteItems(chat)
  const { chatId, settings } = chat
  const isUnread = chat.unreadCount > 0 || settings.isMarkedUnread

  /** Takes the chat out of sight, and says how to get it back. */
  const putAway = (change: Partial<ChatSettings>, undo: Partial<ChatSettings>, done: string) => async () => {
    if (!(await set(chatId, change))) return
    toast(done, { action: { label: words.chatMenu.undo, onSelect: () => void set(chatId, undo) } })
  }
  const markRead = (): void => {
    void run(async () => {
      client.room(chatId).read(chat.lastSeq)
      if (settings.isMarkedUnread) await client.command('set_chat_settings', { chatId, isMarkedUnread: false })
    })
  }
  return [
    {
      label: settings.isPinned ? words.chatMenu.unpin : words.chatMenu.pin,
      icon: 'pin',
      onSelect: () => void set(chatId, { isPinned: !settings.isPinned }),
    },
    isUnread
      ? { label: words.chatMenu.markRead, icon: 'checks', onSelect: markRead }
      : {
          label: words.chatMenu.markUnread,
          icon: 'message',
          onSelect: () => void set(chatId, { isMarkedUnread: true }),
        },
    null,
    ...muteItems,
    null,
    settings.isArchived
      ? { label: words.chatMenu.unarchive, icon: 'archive', onSelect: () => void set(chatId, { isArchived: false }) }
      : {
          label: words.chatMenu.archive,
          icon: 'archive',
          onSelect: putAway({ isArchived: true }, { isArchived: false }, words.chatMenu.archived),
        },
    {
      label: words.chatMenu.hide,
      icon: 'close',
      onSelect: putAway({ isHidden: true }, { isHidden: false }, words.chatMenu.hidden),
    },
  ]
}
