import { useMe, usePresence } from '../../client/src/react.js'
import { usePage } from '../app/context.js'
import type { Theme } from '../app/preferences.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { Sheet } from '../parts/sheet.js'
import { Choice } from '../parts/text-field.js'
import { LANGUAGES, useLanguage } from '../words/index.js'
import { Blocked } from './blocked.js'
import { Notices } from './notices.js'
import { OwnStatus } from './own-status.js'

export interface AccountSheetProps {
  onClose(): void
  onSignOut: (() => void) | undefined
}

/** One's name and status, the looks of the page, and the way out. */
export function AccountSheet({ onClose, onSignOut }: AccountSheetProps) {
  const { words, code } = useLanguage()
  const { preferences, change } = usePage()
  const me = useMe()
  const presence = usePresence(me ? [me.userId] : [])[me?.userId ?? '']
  const themes: { value: Theme; label: string }[] = [
    { value: 'auto', label: words.account.themeAuto },
    { value: 'light', label: words.account.themeLight },
    { value: 'dark', label: words.account.themeDark },
  ]
  return (
    <Sheet title={words.account.title} closeLabel={words.close} onClose={onClose}>
      {me && (
        <div class="face">
          <Avatar id={me.userId} name={me.name} url={me.avatarUrl} presence={presence?.status} size="l" />
          <p class="face-name">
            <bdi>{me.name}</bdi>
          </p>
          <p class="soft face-id">{me.userId}</p>
          <p class="soft">{words.account.nameText}</p>
        </div>
      )}
      <OwnStatus presence={presence} />
      <section class="info-part">
        <h3>{words.account.theme}</h3>
        <Choice
          label={words.account.theme}
          options={themes}
          value={preferences.theme}
          onChange={(theme) => change({ theme })}
        />
      </section>
      <section class="info-part">
        <h3>{words.account.language}</h3>
        <Choice
          label={words.account.language}
          options={LANGUAGES}
          value={code}
          onChange={(language) => change({ language })}
        />
      </section>
      <Notices />
      <Blocked />
      {onSignOut && (
        <section class="info-end">
          <Button look="danger" icon="leave" onClick={onSignOut}>
            {words.account.signOut}
          </Button>
          <p class="soft">{words.account.signOutText}</p>
        </section>
      )}
    </Sheet>
  )
}
