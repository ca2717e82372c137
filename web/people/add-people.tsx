import { useState } from 'preact/hooks'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Known, toggleId, toIds } from '../chats/new-chat.js'
import { Button } from '../parts/button.js'
import { TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

export interface AddPeopleProps {
  chatId: string
  /** Who is in it already. */
  members: string[]
  onDone(): void
}

/** Adds people to a group, by their ids or from those one knows. */
export function AddPeople({ chatId, members, onDone }: AddPeopleProps) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const [ids, setIds] = useState('')
  const userIds = toIds(ids)
  const add = async (): Promise<void> => {
    if (userIds.length === 0) return
    if (await run(() => client.command('add_members', { chatId, userIds }))) onDone()
  }
  return (
    <form
      class="add-people"
      onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}
    >
      <TextField
        label={words.newChat.people}
        hint={words.newChat.peopleHint}
        value={ids}
        onInput={setIds}
        spellcheck={false}
        autofocus
      />
      <Known picked={userIds} without={members} onPick={(userId) => setIds(toggleId(userIds, userId))} />
      <Button look="primary" type="submit" disabled={userIds.length === 0}>
        {words.info.add}
      </Button>
    </form>
  )
}
