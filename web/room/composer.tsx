import { useState } from 'preact/hooks'
import { useRoom } from '../../client/src/react.js'
import { toSentence } from '../app/use-run.js'
import { IconButton } from '../parts/button.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'

/** Where one writes: Enter sends, Shift and Enter begin a line. */
export function Composer({ chatId, name }: { chatId: string; name: string }) {
  const { send, type } = useRoom(chatId)
  const { words } = useLanguage()
  const toast = useToast()
  const [text, setText] = useState('')

  const submit = (): void => {
    if (!text.trim()) return
    try {
      send({ content: text.trim() })
      setText('')
    } catch (error) {
      toast(toSentence(error, words), { isError: true })
    }
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <textarea
        rows={1}
        dir="auto"
        value={text}
        aria-label={words.room.messageTo(name)}
        placeholder={words.room.messageTo(name)}
        onInput={(event) => {
          setText(event.currentTarget.value)
          type()
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          submit()
        }}
      />
      <IconButton icon="send" look="primary" type="submit" label={words.room.send} disabled={!text.trim()} />
    </form>
  )
}
