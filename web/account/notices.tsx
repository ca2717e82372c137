import { useState } from 'preact/hooks'
import { useChatClient } from '../../client/src/react.js'
import { usePage } from '../app/context.js'
import { Button } from '../parts/button.js'
import { Switch } from '../parts/text-field.js'
import { usePush } from '../push/use-push.js'
import { useLanguage } from '../words/index.js'

/** Notifications of the browser: asked for by what stands here alone, never by the page on its own. */
export function Notices() {
  const client = useChatClient()
  const { words } = useLanguage()
  const { preferences, change } = usePage()
  const [permission, setPermission] = useState(typeof Notification === 'undefined' ? null : Notification.permission)
  const push = usePush(client, permission)
  if (permission === null) return null

  const ask = async (): Promise<NotificationPermission> => {
    const answer = await Notification.requestPermission()
    setPermission(answer)
    return answer
  }
  const turn = async (isOn: boolean): Promise<void> => {
    if (!isOn) await push?.turnOff()
    else if ((await ask()) === 'granted') await push?.turnOn()
  }
  return (
    <section class="info-part">
      <h3>{words.account.notifications}</h3>
      {permission === 'granted' ? (
        <Switch
          label={words.account.whileOpen}
          hint={preferences.notices ? words.account.turnedOn : words.account.notificationsOff}
          isOn={preferences.notices}
          onChange={(notices) => change({ notices })}
        />
      ) : permission === 'denied' ? (
        <p class="soft">{words.account.denied}</p>
      ) : (
        <Button icon="bell" onClick={() => void ask().then((answer) => change({ notices: answer === 'granted' }))}>
          {words.account.turnOn}
        </Button>
      )}
      {push && (
        <Switch
          label={words.account.whileClosed}
          hint={words.account.pushHints[push.state]}
          isOn={push.state === 'on'}
          isDisabled={push.isBusy || push.state === 'denied'}
          onChange={(isOn) => void turn(isOn)}
        />
      )}
    </section>
  )
}
