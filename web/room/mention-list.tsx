import { Avatar } from '../parts/avatar.js'
import { useLanguage } from '../words/index.js'
import type { Mentioned } from './drafts.js'

export interface MentionListProps {
  id: string
  people: readonly Mentioned[]
  /** Which of them Enter picks. */
  at: number
  onPick(person: Mentioned): void
}

/** The name of an option, for `aria-activedescendant`. */
export const optionId = (listId: string, at: number): string => `${listId}-${at}`

/** Whom an `@` may mean; the focus stays in the field, which moves through them. */
export function MentionList({ id, people, at, onPick }: MentionListProps) {
  const { words } = useLanguage()
  return (
    <div id={id} class="mention-list" role="listbox" aria-label={words.message.mentions}>
      {people.map((person, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: keys are taken by the field, which keeps the focus
        <div
          key={person.userId}
          id={optionId(id, i)}
          class="mention-option"
          role="option"
          aria-selected={i === at}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onPick(person)}
        >
          <Avatar id={person.userId} name={person.name} size="s" />
          <bdi class="one-line">{person.name}</bdi>
        </div>
      ))}
    </div>
  )
}
