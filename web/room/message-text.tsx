import { useMemo } from 'preact/hooks'
import type { Mentions } from '../../client/src/index.js'
import { useChatClient, useStore } from '../../client/src/react.js'
import { EVERYONE } from './drafts.js'
import { piecesOf } from './links.js'

export interface MessageTextProps {
  text: string
  mentions: Mentions
}

/** What somebody wrote: as text, with its links and the people it names. */
export function MessageText({ text, mentions }: MessageTextProps) {
  const users = useStore(useChatClient().users)
  const names = mentions.userIds.flatMap((userId) => users[userId]?.name ?? [])
  if (mentions.everyone) names.push(EVERYONE.name)
  const known = names.join('\n')
  const pieces = useMemo(() => piecesOf(text, known === '' ? [] : known.split('\n')), [text, known])
  return (
    <p dir="auto">
      {pieces.map((piece, i) => {
        if (piece.kind === 'text') return piece.text
        if (piece.kind === 'mention') {
          return (
            <bdi key={i} class="mention">
              {piece.text}
            </bdi>
          )
        }
        return (
          <a key={i} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            <bdi>{piece.text}</bdi>
          </a>
        )
      })}
    </p>
  )
}
