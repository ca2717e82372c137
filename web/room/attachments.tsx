import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Attachment } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Button } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { useLanguage } from '../words/index.js'
import { formatBytes } from './bytes.js'

/** What browsers show, and the service has looked into. */
const SHOWN = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']
const NEAR = '600px'
/** What a picture without measures, or of odd ones, is shown in. */
const [LEAST_RATIO, USUAL_RATIO, MOST_RATIO] = [0.6, 4 / 3, 3]

/** The files of a message: pictures in place, the rest to download. */
export function Attachments({ attachments }: { attachments: readonly Attachment[] }) {
  return (
    <ul class="attachments">
      {attachments.map((attachment) => (
        <li key={attachment.id}>
          {SHOWN.includes(attachment.mimeType) ? (
            <Picture attachment={attachment} />
          ) : (
            <FileButton attachment={attachment} />
          )}
        </li>
      ))}
    </ul>
  )
}

const useDownload = (attachment: Attachment): (() => void) => {
  const client = useChatClient()
  const run = useRun()
  return () => void run(async () => save(await client.download(attachment.id), attachment.name))
}

function FileButton({ attachment }: { attachment: Attachment }) {
  const { code, words } = useLanguage()
  const download = useDownload(attachment)
  const size = formatBytes(attachment.size, code)
  return (
    <button type="button" class="file" onClick={download}>
      <Icon name="file" size={24} />
      <span class="heard">{words.message.download}</span>
      <span class="file-text">
        <bdi class="one-line">{attachment.name}</bdi>
        <span class="file-size">{size}</span>
      </span>
      <Icon name="download" size={18} />
    </button>
  )
}

/** Its place is as large before it is loaded as after, so that nothing moves; it is loaded when it is near. */
function Picture({ attachment }: { attachment: Attachment }) {
  const client = useChatClient()
  const { code, words } = useLanguage()
  const download = useDownload(attachment)
  const ref = useRef<HTMLDivElement>(null)
  const [url, setUrl] = useState<string | null>(null)
  const [isBroken, setBroken] = useState(false)
  const { id, name, width, height, size } = attachment

  useLayoutEffect(() => {
    const ratio = width && height ? width / height : USUAL_RATIO
    ref.current?.style.setProperty('aspect-ratio', String(Math.min(MOST_RATIO, Math.max(LEAST_RATIO, ratio))))
  }, [width, height])
  useEffect(() => {
    const element = ref.current
    if (!element || isBroken) return
    let made: string | null = null
    let isOver = false
    const load = async (): Promise<void> => {
      const blob = await client.download(id)
      if (isOver) return
      made = URL.createObjectURL(blob)
      setUrl(made)
    }
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return
        observer.disconnect()
        load().catch(() => isOver || setBroken(true))
      },
      { rootMargin: NEAR },
    )
    observer.observe(element)
    return () => {
      isOver = true
      observer.disconnect()
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [client, id, isBroken])

  return (
    <div ref={ref} class="picture">
      {isBroken ? (
        <span class="picture-broken">
          {words.message.imageFailed}
          <Button look="quiet" onClick={() => setBroken(false)}>
            {words.retry}
          </Button>
        </span>
      ) : (
        <button
          type="button"
          aria-label={`${words.message.download} ${name}, ${formatBytes(size, code)}`}
          title={name}
          onClick={download}
        >
          {url !== null && <img src={url} alt="" onError={() => setBroken(true)} />}
        </button>
      )}
    </div>
  )
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser has taken it when the next task runs.
  setTimeout(() => URL.revokeObjectURL(link.href))
}
