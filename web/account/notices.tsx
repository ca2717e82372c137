import { useState } from 'preact/hooks'
import { usePage } from '../app/context.js'
import { Button } from '../parts/button.js'
import { Switch } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

/** Notifications of the browser: asked for by this button alone, never by the page on its own. */
export function Notices() {
  const { words } = useLanguage()
  const { preferences, change } = usePage()
  const [permission, setPermission] = useState(typeof Notification === 'undefined' ? null : Notification.permission)
  if (permission === null) return null

  const ask = async (): Promise<void> => {
    const answer = await Notification.requestPermission()
    setPermission(answer)
    change({ notices: answer === 'granted' })
  }
  return (
    <section class="info-part">
      <h3>{words.account.notifications}</h3>
      {permission === 'granted' ? (
        <Switch
          label={words.account.notifications}
          hint={preferences.notices ? words.account.turnedOn : words.account.notificationsOff}
          isOn={preferences.notices}
          onChange={(notices) => change({ notices })}
        />
      ) : permission === 'denied' ? (
        <p class="soft">{words.account.denied}</p>
      ) : (
        <Button icon="bell" onClick={() => void ask()}>
          {words.account.turnOn}
        </Button>
      )}
    </section>
  )
}
