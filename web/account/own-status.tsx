import { useId } from 'preact/hooks'
import type { Presence } from '../../client/src/index.js'
import { useChatClient, useConnection } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { useLanguage } from '../words/index.js'

const STATUSES = ['online', 'away', 'dnd', 'invisible'] as const

/** How one is shown to others. */
export function OwnStatus({ presence }: { presence: Presence | undefined }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const { state } = useConnection()
  const name = useId()
  // Whoever is connected and yet offline has chosen not to be seen.
  const status = presence?.status === 'offline' && state === 'online' ? 'invisible' : presence?.status
  return (
    <fieldset class="info-part radios">
      <legend>
        <h3>{words.account.status}</h3>
      </legend>
      {STATUSES.map((value) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            checked={status === value}
            disabled={state !== 'online'}
            onChange={() => void run(() => client.command('set_presence', { status: value }))}
          />
          <span class={`status-dot dot-${value}`} aria-hidden="true" />
          <span>
            {words.account[value]}
            {value === 'invisible' && <span class="field-note">{words.account.invisibleHint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
