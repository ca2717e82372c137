import { useEffect, useRef } from 'preact/hooks'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { summaryOf } from '../chats/names.js'
import { Button, IconButton } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { useLanguage } from '../words/index.js'
import type { Composing } from './context.js'
import type { Barred } from './use-barred.js'
import type { ChosenFile } from './use-files.js'

/** Above the field: what is answered or edited. */
export function ComposerAbout({ composing, onEnd }: { composing: NonNullable<Composing>; onEnd(): void }) {
  const { words } = useLanguage()
  const { kind, message } = composing
  const isEdit = kind === 'edit'
  return (
    <div class="composer-about">
      <Icon name={isEdit ? 'edit' : 'reply'} size={18} />
      <span class="quote-lines">
        <span class="quote-name one-line">
          {isEdit ? words.message.editing : words.message.replyingTo(message.sender.name)}
        </span>
        <bdi class="quote-text one-line">{summaryOf(message, words)}</bdi>
      </span>
      <IconButton icon="close" label={isEdit ? words.message.endEdit : words.message.endReply} onClick={onEnd} />
    </div>
  )
}

export interface ComposerFilesProps {
  files: readonly ChosenFile[]
  onRemove(id: number): void
  onRetry(id: number): void
}

/** Above the field: the files that go with the message. */
export function ComposerFiles({ files, onRemove, onRetry }: ComposerFilesProps) {
  const { words } = useLanguage()
  return (
    <ul class="chosen" aria-label={words.message.files}>
      {files.map((file) => (
        <li key={file.id} class={`chosen-file chosen-${file.state}`}>
          {file.url ? <img src={file.url} alt="" /> : <Icon name="file" size={24} />}
          <bdi class="chosen-name one-line">{file.file.name}</bdi>
          {file.state === 'uploading' && (
            <progress value={file.progress} max={1} aria-label={words.message.uploading(file.file.name)} />
          )}
          {file.state === 'failed' && (
            <IconButton icon="retry" label={words.message.retryFile(file.file.name)} onClick={() => onRetry(file.id)} />
          )}
          <IconButton icon="close" label={words.message.removeFile(file.file.name)} onClick={() => onRemove(file.id)} />
        </li>
      ))}
    </ul>
  )
}

/** In the place of the field: why one may not write. */
export function ComposerBarred({ barred }: { barred: NonNullable<Barred> }) {
  const client = useChatClient()
  const run = useRun()
  const { words, dates } = useLanguage()
  const say = words.message
  const why = (): string => {
    if (barred.why === 'frozen') return say.frozen
    if (barred.why === 'blocked') return say.youBlocked(barred.name)
    return barred.until === null ? say.muted : say.mutedUntil(dates.full(barred.until))
  }
  return (
    <div class="composer-barred" role="status">
      <Icon name="ban" size={18} />
      <span>{why()}</span>
      {barred.why === 'blocked' && (
        <Button look="quiet" onClick={() => void run(() => client.command('unblock_user', { userId: barred.userId }))}>
          {say.unblock}
        </Button>
      )}
    </div>
  )
}

/** A button that has the browser ask for files. */
export function AttachButton({ isDisabled, onFiles }: { isDisabled: boolean; onFiles(files: File[]): void }) {
  const { words } = useLanguage()
  const ref = useRef<HTMLInputElement>(null)
  return (
    <>
      <IconButton
        icon="attach"
        label={words.message.attach}
        disabled={isDisabled}
        onClick={() => ref.current?.click()}
      />
      <input
        ref={ref}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])])
          currentTarget.value = ''
        }}
      />
    </>
  )
}

/** How many characters are left, or too many; nothing while there is much room. */
export function CharacterCount({ left, max }: { left: number; max: number }) {
  const { words } = useLanguage()
  const text = left < 0 ? words.message.charactersOver(-left, max) : words.message.charactersLeft(left)
  return (
    <p class={left < 0 ? 'character-count character-count-over' : 'character-count'} role="status">
      {text}
    </p>
  )
}

/** Has a field be as high as its text where the style sheet cannot. */
export function useGrowth(ref: { current: HTMLTextAreaElement | null }, text: string): void {
  useEffect(() => {
    const field = ref.current
    if (!field || CSS.supports('field-sizing', 'content')) return
    field.style.height = 'auto'
    field.style.height = `${field.scrollHeight + 2}px`
  }, [ref, text])
}
