import { useState } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { FOREVER, isMuted } from '../chats/names.js'
import { useMuteItems, useSetChat } from '../chats/settings.js'
import { Button } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { MenuList } from '../parts/menu.js'
import { Switch } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

/** What one sets for oneself; nobody else sees it. */
export function OwnSettings({ chat, onHidden }: { chat: MyChat; onHidden(): void }) {
  const { words, dates } = useLanguage()
  const set = useSetChat()
  const muteItems = useMuteItems(chat)
  const [anchor, setAnchor] = useState<Element | null>(null)
  const { chatId, settings } = chat
  const { mutedUntil } = settings

  const muted = (): string => {
    if (!isMuted(chat) || mutedUntil === null) return words.info.notificationsOn
    return Date.parse(mutedUntil) >= Date.parse(FOREVER)
      ? words.info.mutedForever
      : words.info.mutedUntil(dates.full(mutedUntil))
  }
  const hide = async (): Promise<void> => {
    if (await set(chatId, { isHidden: true })) onHidden()
  }
  return (
    <section class="info-part">
      <h3>{words.info.settings}</h3>
      <button
        type="button"
        class="info-row"
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <span>{words.info.notifications}</span>
        <span class="soft">{muted()}</span>
        <Icon name="chevron" size={18} />
      </button>
      {anchor && (
        <MenuList
          label={words.info.notifications}
          items={muteItems}
          anchor={anchor}
          align="end"
          onClose={() => setAnchor(null)}
        />
      )}
      <Switch
        label={words.info.pinned}
        isOn={settings.isPinned}
        onChange={(isPinned) => void set(chatId, { isPinned })}
      />
      <Switch
        label={words.info.archived}
        isOn={settings.isArchived}
        onChange={(isArchived) => void set(chatId, { isArchived })}
      />
      <Switch
        label={words.info.markedUnread}
        isOn={settings.isMarkedUnread}
        onChange={(isMarkedUnread) => void set(chatId, { isMarkedUnread })}
      />
      <Button look="quiet" onClick={() => void hide()}>
        {words.chatMenu.hide}
      </Button>
    </section>
  )
}
