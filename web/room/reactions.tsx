import { useState } from 'preact/hooks'
import type { Message, Reaction } from '../../client/src/index.js'
import { useChatClient, useMe, useStore } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Button } from '../parts/button.js'
import { Popup } from '../parts/popup.js'
import { TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

const COMMON = [
  '👍',
  '❤️',
  '😂',
  '😮',
  '😢',
  '🙏',
  '🎉',
  '🔥',
  '👏',
  '👀',
  '✅',
  '❌',
  '💯',
  '🤔',
  '😍',
  '😎',
  '🥳',
  '🙈',
]

/** Puts one's emoji on a message, or takes it off. */
export function useReact(message: Message): (emoji: string, on: boolean) => void {
  const room = useChatClient().room(message.chatId)
  const run = useRun()
  return (emoji, on) => void run(() => room.react(message.id, emoji, on))
}

/** The emoji on a message, each with how many; a press adds one's own, or takes it off. */
export function Reactions({ message }: { message: Message }) {
  const react = useReact(message)
  const { words } = useLanguage()
  const myId = useMe()?.userId ?? ''
  if (message.reactions.length === 0) return null
  return (
    <ul class="reactions" aria-label={words.message.reactions}>
      {message.reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <ReactionChip reaction={reaction} isMine={reaction.userIds.includes(myId)} onReact={react} />
        </li>
      ))}
    </ul>
  )
}

interface ReactionChipProps {
  reaction: Reaction
  isMine: boolean
  onReact(emoji: string, on: boolean): void
}

function ReactionChip({ reaction: { emoji, count, userIds }, isMine, onReact }: ReactionChipProps) {
  const users = useStore(useChatClient().users)
  const myId = useMe()?.userId
  const { words } = useLanguage()
  const names = userIds.flatMap((userId) => (userId === myId ? words.you : (users[userId]?.name ?? [])))
  const people = words.message.reactedAlso(names.join(', '), count - names.length)
  return (
    <button type="button" class="reaction" aria-pressed={isMine} title={people} onClick={() => onReact(emoji, !isMine)}>
      <span>{emoji}</span>
      <span class="reaction-count">{count}</span>
      <span class="heard">{people}</span>
    </button>
  )
}

export interface ReactionPickerProps {
  message: Message
  anchor: Element
  onClose(): void
}

/** Common emoji, and a field for any other. */
export function ReactionPicker({ message, anchor, onClose }: ReactionPickerProps) {
  const react = useReact(message)
  const { words } = useLanguage()
  const [other, setOther] = useState('')
  const myId = useMe()?.userId ?? ''
  const isMine = (emoji: string): boolean =>
    message.reactions.some((reaction) => reaction.emoji === emoji && reaction.userIds.includes(myId))
  const pick = (emoji: string): void => {
    onClose()
    react(emoji, !isMine(emoji))
  }
  return (
    <Popup
      anchor={anchor}
      align="end"
      onClose={onClose}
      label={words.message.addReaction}
      onShown={(element) => element.querySelector('button')?.focus()}
    >
      <div class="picker">
        {COMMON.map((emoji) => (
          <button
            key={emoji}
            type="button"
            class="picker-emoji"
            aria-pressed={isMine(emoji)}
            onClick={() => pick(emoji)}
          >
            {emoji}
          </button>
        ))}
      </div>
      <form
        class="picker-other"
        onSubmit={(event) => {
          event.preventDefault()
          if (other.trim() !== '') pick(other.trim())
        }}
      >
        <TextField label={words.message.anyEmoji} value={other} onInput={setOther} maxLength={32} />
        <Button type="submit" disabled={other.trim() === ''}>
          {words.message.react}
        </Button>
      </form>
    </Popup>
  )
}
