import { useId } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Switch } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

const PAUSES_S = [0, 5, 10, 30, 60, 300]

/** What holds for everybody in a group. */
export function Rules({ chat }: { chat: MyChat }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const id = useId()
  const { chatId, isFrozen, slowModeSeconds } = chat
  const pauses = PAUSES_S.includes(slowModeSeconds) ? PAUSES_S : [...PAUSES_S, slowModeSeconds]
  return (
    <section class="info-part">
      <h3>{words.info.rules}</h3>
      <Switch
        label={words.info.frozen}
        isOn={isFrozen}
        onChange={(isFrozen) => void run(() => client.command('update_chat', { chatId, isFrozen }))}
      />
      <div class="info-row">
        <label for={id}>{words.info.slowMode}</label>
        <select
          id={id}
          class="select"
          value={String(slowModeSeconds)}
          onChange={(event) => {
            const slowModeSeconds = Number(event.currentTarget.value)
            void run(() => client.command('update_chat', { chatId, slowModeSeconds }))
          }}
        >
          {pauses.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {seconds === 0 ? words.info.slowModeOff : words.info.seconds(seconds)}
            </option>
          ))}
        </select>
      </div>
    </section>
  )
}
