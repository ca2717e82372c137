import { useRef } from 'preact/hooks'
import type { Connection } from '../../client/src/index.js'
import { useChatClient, useConnection, useMe } from '../../client/src/react.js'
import { Button } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { useLanguage, type Words } from '../words/index.js'
import { useCutOff } from './use-cut-off.js'

export interface ConnectionBannerProps {
  onSignInAgain: (() => void) | undefined
}

/** Says above all else when there is no connection, why, and what one may do. */
export function ConnectionBanner({ onSignInAgain }: ConnectionBannerProps) {
  const client = useChatClient()
  const { words } = useLanguage()
  const connection = useConnection()
  const me = useMe()
  const isCutOff = useCutOff()
  const wasShown = useRef(false)

  const isFinal = connection.state === 'refused' || connection.state === 'needs-token'
  const isShown = (isCutOff || isFinal) && me !== null
  if (isShown) wasShown.current = true
  return (
    <div class="banner-place" role="status">
      {isShown ? (
        <div class={isFinal ? 'banner banner-final' : 'banner'}>
          <Icon name={isFinal ? 'error' : 'offline'} size={18} />
          <span>{sentenceOf(connection, words)}</span>
          {isFinal &&
            (onSignInAgain ? (
              <Button onClick={onSignInAgain}>{words.connection.signInAgain}</Button>
            ) : (
              <Button onClick={client.connect}>{words.connection.reconnect}</Button>
            ))}
        </div>
      ) : (
        wasShown.current && <span class="heard">{words.connection.online}</span>
      )}
    </div>
  )
}

function sentenceOf({ state, closing, error }: Connection, words: Words): string {
  if (state === 'connecting') return words.connection.connecting
  if (state === 'offline')
    return closing ? `${words.closings[closing.code]} ${words.connection.connecting}` : words.connection.offline
  if (closing) return words.closings[closing.code]
  if (error) return words.errors[error.code]
  return state === 'needs-token' ? words.closings.TOKEN_EXPIRED : words.connection.refused
}
