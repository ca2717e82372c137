import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Draft, Entry, Message } from '../../client/src/index.js'
import { useMe, useRoom } from '../../client/src/react.js'
import { useService } from '../app/service.js'
import { useMedia } from '../app/use-media.js'
import { toSentence, useRun } from '../app/use-run.js'
import { IconButton } from '../parts/button.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'
import {
  AttachButton,
  CharacterCount,
  ComposerAbout,
  ComposerBarred,
  ComposerFiles,
  useGrowth,
} from './composer-parts.js'
import { useRoomActions } from './context.js'
import type { Mentioned } from './drafts.js'
import { MentionList, optionId } from './mention-list.js'
import { useBarred, useSlowMode } from './use-barred.js'
import { useDraft } from './use-draft.js'
import { useDrop } from './use-drop.js'
import { useFiles } from './use-files.js'
import { askedAt, mentionsIn, useMentions } from './use-mentions.js'

/** From when on what is left is counted aloud; where messages are short, when a quarter of one is left. */
const TELL_CHARS = 200

/** Where one writes; in its place the reason, where one may not. */
export function Composer({ chatId, name }: { chatId: string; name: string }) {
  const barred = useBarred(useRoom(chatId).chat)
  const myId = useMe()?.userId
  if (barred) return <ComposerBarred barred={barred} />
  return myId === undefined ? null : <ComposerForm key={myId} chatId={chatId} name={name} myId={myId} />
}

interface ComposerFormProps {
  chatId: string
  name: string
  myId: string
}

/** Enter sends, Shift and Enter begin a line; where one writes by finger, Enter begins a line. */
function ComposerForm({ chatId, name, myId }: ComposerFormProps) {
  const { chat, entries, send, edit, type } = useRoom(chatId)
  const { composing, compose } = useRoomActions()
  const { words } = useLanguage()
  const toast = useToast()
  const run = useRun()
  const { maxMessageChars } = useService()
  const isTouch = useMedia('(pointer: coarse)')
  const form = useRef<HTMLFormElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const draft = useDraft(myId, chatId, composing)
  const chosen = useFiles(chatId)
  const slowSeconds = useSlowMode(chat, entries, myId)
  const isOver = useDrop(form, chosen.add)
  const mention = useMentionField(field, chatId, draft)
  useGrowth(field, draft.text)
  useLayoutEffect(() => {
    if (composing) field.current?.focus()
  }, [composing])

  const text = draft.text.trim()
  const left = maxMessageChars - [...text].length
  const isEditing = composing?.kind === 'edit'
  const { files } = chosen
  const isWaiting = !isEditing && (slowSeconds > 0 || files.some(({ state }) => state !== 'there'))
  const hasSomething = text !== '' || (isEditing ? composing.message.attachments.length > 0 : files.length > 0)
  const canSend = hasSomething && left >= 0 && !isWaiting

  function submit(): void {
    if (!canSend) return
    const mentions = mentionsIn(draft)
    if (isEditing) {
      const { id } = composing.message
      compose(null)
      void run(() => edit(id, { content: text === '' ? null : text, mentions }))
      return
    }
    const message: Draft = { ...(text !== '' && { content: text }) }
    if (mentions.userIds.length > 0 || mentions.everyone) message.mentions = mentions
    if (files.length > 0) message.attachmentIds = files.flatMap(({ attachment }) => attachment?.id ?? [])
    if (composing) message.replyToId = composing.message.id
    try {
      send(message)
      draft.clear()
      chosen.clear()
      compose(null)
      field.current?.focus()
    } catch (error) {
      toast(toSentence(error, words), { isError: true })
    }
  }

  function press(event: KeyboardEvent): void {
    if (event.isComposing || mention.press(event)) return
    if (event.key === 'Enter' && !event.shiftKey && !isTouch) {
      event.preventDefault()
      submit()
    } else if (event.key === 'Escape' && composing) {
      event.preventDefault()
      compose(null)
    } else if (event.key === 'ArrowUp' && draft.text === '' && !composing) {
      const last = lastOf(entries, myId)
      if (!last) return
      event.preventDefault()
      compose({ kind: 'edit', message: last })
    }
  }

  return (
    <form
      ref={form}
      class={isOver ? 'composer composer-over' : 'composer'}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {isOver && <p class="composer-drop">{words.message.drop}</p>}
      {composing && <ComposerAbout composing={composing} onEnd={() => compose(null)} />}
      {!isEditing && files.length > 0 && (
        <ComposerFiles files={files} onRemove={chosen.remove} onRetry={chosen.retry} />
      )}
      {mention.list}
      <AttachButton isDisabled={isEditing} onFiles={chosen.add} />
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        value={draft.text}
        aria-label={words.room.messageTo(name)}
        placeholder={words.room.messageTo(name)}
        aria-invalid={left < 0}
        {...mention.attributes}
        onInput={({ currentTarget }) => {
          draft.set({ text: currentTarget.value, mentioned: draft.mentioned })
          mention.look()
          if (!isEditing && currentTarget.value !== '') type()
        }}
        onSelect={mention.look}
        onBlur={mention.close}
        onKeyDown={press}
        onPaste={(event) => {
          const pasted = [...(event.clipboardData?.files ?? [])]
          if (pasted.length === 0 || isEditing) return
          event.preventDefault()
          chosen.add(pasted)
        }}
      />
      <IconButton
        icon={isEditing ? 'check' : 'send'}
        look="primary"
        type="submit"
        label={isEditing ? words.message.saveEdit : words.room.send}
        disabled={!canSend}
      />
      {left < Math.min(TELL_CHARS, maxMessageChars / 4) && <CharacterCount left={left} max={maxMessageChars} />}
      {slowSeconds > 0 && !isEditing && <p class="character-count">{words.message.slowMode(slowSeconds)}</p>}
    </form>
  )
}

/** The last message of one's own that can be edited. */
function lastOf(entries: readonly Entry[], myId: string): Message | null {
  const entry = entries.findLast(
    (entry) => entry.status === 'stored' && entry.message.sender.userId === myId && entry.message.content !== null,
  )
  return entry?.status === 'stored' ? entry.message : null
}

type Field = { current: HTMLTextAreaElement | null }

/** Completes the name that is begun with an `@` in a field. */
function useMentionField(field: Field, chatId: string, draft: ReturnType<typeof useDraft>) {
  const { chat } = useRoom(chatId)
  const id = useId()
  const [asked, setAsked] = useState<ReturnType<typeof askedAt>>(null)
  const [at, setAt] = useState(0)
  const people = useMentions(chat, asked)
  const isOpen = asked !== null && people.length > 0
  const current = Math.min(at, people.length - 1)
  const close = (): void => setAsked(null)

  function look(): void {
    const element = field.current
    if (!element) return
    const { value, selectionStart, selectionEnd } = element
    const next = selectionStart === selectionEnd ? askedAt(value, selectionStart) : null
    if (next?.start === asked?.start && next?.query === asked?.query) return
    setAsked(next)
    setAt(0)
  }

  function pick(person: Mentioned): void {
    const element = field.current
    if (!element || !asked) return
    const before = `${draft.text.slice(0, asked.start)}@${person.name} `
    const after = draft.text.slice(asked.start + 1 + asked.query.length)
    draft.set({ text: before + after, mentioned: [...draft.mentioned, person] })
    close()
    // Now, so that the caret can be set behind the name.
    element.value = before + after
    element.setSelectionRange(before.length, before.length)
    element.focus()
  }

  return {
    close,
    look,
    list: isOpen ? <MentionList id={id} people={people} at={current} onPick={pick} /> : null,
    attributes: {
      'aria-autocomplete': 'list' as const,
      'aria-controls': isOpen ? id : undefined,
      'aria-activedescendant': isOpen ? optionId(id, current) : undefined,
    },
    /** Answers whether the key was for the list. */
    press(event: KeyboardEvent): boolean {
      const person = people[current]
      if (!isOpen || !person) return false
      if (event.key === 'ArrowDown') setAt((current + 1) % people.length)
      else if (event.key === 'ArrowUp') setAt((current + people.length - 1) % people.length)
      else if (event.key === 'Enter' || event.key === 'Tab') pick(person)
      else if (event.key === 'Escape') close()
      else return false
      event.preventDefault()
      return true
    },
  }
}
