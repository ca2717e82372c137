import { useState } from 'preact/hooks'
import type { Message } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { summaryOf } from '../chats/names.js'
import { Button } from '../parts/button.js'
import { Dialog } from '../parts/dialog.js'
import { TextField } from '../parts/text-field.js'
import { useLanguage } from '../words/index.js'

const REASONS = ['spam', 'abuse', 'illegal', 'other'] as const

/** Asks why a message is reported, and reports it. */
export function ReportDialog({ message, onClose }: { message: Message; onClose(): void }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const [reason, setReason] = useState<(typeof REASONS)[number]>('spam')
  const [comment, setComment] = useState('')
  const report = async (): Promise<void> => {
    const input = { messageId: message.id, reason, ...(comment.trim() && { comment: comment.trim() }) }
    if (await run(() => client.command('report_message', input), words.report.done)) onClose()
  }
  return (
    <Dialog
      title={words.report.title}
      closeLabel={words.close}
      onClose={onClose}
      onSubmit={() => void report()}
      actions={
        <>
          <Button onClick={onClose}>{words.cancel}</Button>
          <Button look="primary" type="submit">
            {words.report.submit}
          </Button>
        </>
      }
    >
      <blockquote class="reported">
        <strong>
          <bdi>{message.sender.name}</bdi>
        </strong>
        <p dir="auto">{summaryOf(message, words)}</p>
      </blockquote>
      <p class="soft">{words.report.text}</p>
      <fieldset class="radios">
        <legend>{words.report.reason}</legend>
        {REASONS.map((value) => (
          <label key={value}>
            <input type="radio" name="reason" checked={reason === value} onChange={() => setReason(value)} />
            {words.report.reasons[value]}
          </label>
        ))}
      </fieldset>
      <TextField label={words.report.comment} value={comment} onInput={setComment} maxLength={1_000} />
    </Dialog>
  )
}
