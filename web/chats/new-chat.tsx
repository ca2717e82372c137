import { useState } from 'preact/hooks'
import { useChatClient, useMe, useStore } from '../../client/src/react.js'
import { toSentence } from '../app/use-run.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { Dialog } from '../parts/dialog.js'
import { Icon } from '../parts/icon.js'
import { Choice, TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

const MAX_KNOWN = 30

export interface NewChatProps {
  onClose(): void
  onOpen(chatId: string): void
}

/** A chat with one person, or a group with a name. */
export function NewChat({ onClose, onOpen }: NewChatProps) {
  const client = useChatClient()
  const { words } = useLanguage()
  const [type, setType] = useState<'direct' | 'group'>('direct')
  const [title, setTitle] = useState('')
  const [ids, setIds] = useState('')
  const [error, setError] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const isGroup = type === 'group'
  const picked = toIds(ids)

  const create = async (): Promise<void> => {
    if (isGroup && !title.trim()) return setError(words.newChat.noTitle)
    if (!isGroup && picked.length !== 1) return setError(words.newChat.nobody)
    setBusy(true)
    try {
      const input = { type, memberIds: picked, ...(isGroup && { title: title.trim() }) }
      const { chat } = await client.command('create_chat', input)
      onClose()
      onOpen(chat.chatId)
    } catch (failure) {
      setError(toSentence(failure, words))
      setBusy(false)
    }
  }
  const pick = (userId: string): void => {
    setError(undefined)
    setIds(isGroup ? toggleId(picked, userId) : userId)
  }
  return (
    <Dialog
      title={words.newChat.title}
      closeLabel={words.close}
      onClose={onClose}
      onSubmit={() => void create()}
      actions={
        <>
          <Button onClick={onClose}>{words.cancel}</Button>
          <Button look="primary" type="submit" disabled={isBusy}>
            {words.newChat.create}
          </Button>
        </>
      }
    >
      <Choice
        label={words.newChat.kind}
        value={type}
        onChange={(type) => {
          setType(type)
          setError(undefined)
        }}
        options={[
          { value: 'direct', label: words.newChat.direct },
          { value: 'group', label: words.newChat.group },
        ]}
      />
      {isGroup && <TextField label={words.newChat.groupTitle} value={title} onInput={setTitle} maxLength={200} />}
      <TextField
        label={isGroup ? words.newChat.people : words.newChat.person}
        hint={isGroup ? words.newChat.peopleHint : words.newChat.personHint}
        value={ids}
        onInput={setIds}
        error={error}
        spellcheck={false}
      />
      <Known picked={picked} onPick={pick} />
    </Dialog>
  )
}

/** The ids of a line, each once. */
export const toIds = (text: string): string[] => [...new Set(text.split(/[,\s]+/).filter(Boolean))]

/** A line of ids with this one in it, or without it where it was. */
export function toggleId(ids: string[], userId: string): string {
  return (ids.includes(userId) ? ids.filter((id) => id !== userId) : [...ids, userId]).join(', ')
}

/** People whom one shares a chat with, to be picked. */
export function Known({
  picked,
  without = [],
  onPick,
}: {
  picked: string[]
  without?: string[]
  onPick(userId: string): void
}) {
  const client = useChatClient()
  const { words } = useLanguage()
  const me = useMe()
  const users = useStore(client.users)
  const known = Object.values(users)
    .filter(({ userId }) => userId !== me?.userId && !without.includes(userId))
    .slice(0, MAX_KNOWN)
  if (known.length === 0) return null
  return (
    <fieldset class="known">
      <legend>{words.newChat.known}</legend>
      {known.map(({ userId, name, avatarUrl }) => (
        <button
          key={userId}
          type="button"
          class="known-person"
          aria-pressed={picked.includes(userId)}
          onClick={() => onPick(userId)}
        >
          <Avatar id={userId} name={name} url={avatarUrl} size="s" />
          <bdi>{name}</bdi>
          {picked.includes(userId) && <Icon name="check" size={16} />}
        </button>
      ))}
    </fieldset>
  )
}
