import { useEffect, useRef, useState } from 'preact/hooks'
import type { Attachment } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useService } from '../app/service.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'
import { formatBytes } from './bytes.js'
import { noteUploaded } from './uploaded.js'

/** As many as the service takes. */
const MAX_FILES = 10

/** A file that is to be sent: on its way to the server, there, or refused. */
export interface ChosenFile {
  id: number
  file: File
  /** Of a picture, to show it. */
  url: string | null
  state: 'uploading' | 'there' | 'failed'
  /** From 0 to 1. */
  progress: number
  attachment: Attachment | null
  abort: AbortController
}

/** The files that the next message carries; each is uploaded as soon as it is chosen. */
export function useFiles(chatId: string) {
  const room = useChatClient().room(chatId)
  const toast = useToast()
  const { maxUploadBytes } = useService()
  const { code, words } = useLanguage()
  const [files, setFiles] = useState<ChosenFile[]>([])
  const all = useRef(files)
  const nextId = useRef(0)
  const say = words.message

  const put = (next: ChosenFile[]): void => {
    all.current = next
    setFiles(next)
  }
  const change = (id: number, changes: Partial<ChosenFile>): void =>
    put(all.current.map((file) => (file.id === id ? { ...file, ...changes } : file)))

  async function upload({ id, file, abort }: ChosenFile): Promise<void> {
    try {
      const attachment = await room.upload(file, {
        ...(await measure(file)),
        signal: abort.signal,
        onProgress: (sent, total) => change(id, { progress: total > 0 ? sent / total : 0 }),
      })
      noteUploaded(attachment)
      change(id, { state: 'there', attachment })
    } catch {
      if (abort.signal.aborted) return
      change(id, { state: 'failed' })
      toast(say.uploadFailed(file.name), { isError: true })
    }
  }

  function add(chosen: readonly File[]): void {
    for (const file of chosen) {
      if (all.current.length >= MAX_FILES) {
        toast(say.tooManyFiles(MAX_FILES), { isError: true })
        return
      }
      if (file.size > maxUploadBytes)
        toast(say.tooLargeFile(file.name, formatBytes(maxUploadBytes, code)), { isError: true })
      else if (file.size === 0) toast(say.emptyFile(file.name), { isError: true })
      else {
        const url = file.type.startsWith('image/') ? URL.createObjectURL(file) : null
        const id = nextId.current++
        const item: ChosenFile = {
          id,
          file,
          url,
          state: 'uploading',
          progress: 0,
          attachment: null,
          abort: new AbortController(),
        }
        put([...all.current, item])
        void upload(item)
      }
    }
  }

  function remove(id: number): void {
    const gone = all.current.find((file) => file.id === id)
    gone?.abort.abort()
    if (gone?.url) URL.revokeObjectURL(gone.url)
    put(all.current.filter((file) => file.id !== id))
  }

  function retry(id: number): void {
    change(id, { state: 'uploading', progress: 0 })
    const file = all.current.find((file) => file.id === id)
    if (file) void upload(file)
  }

  /** All have been taken by a message. */
  function clear(): void {
    for (const { url } of all.current) if (url) URL.revokeObjectURL(url)
    put([])
  }
  useEffect(
    () => () => {
      for (const { abort, url } of all.current) {
        abort.abort()
        if (url) URL.revokeObjectURL(url)
      }
    },
    [],
  )
  return { files, add, remove, retry, clear }
}

/** The width and height of a picture, so that its place is known before it is loaded. */
async function measure(file: File): Promise<{ width?: number; height?: number }> {
  if (!file.type.startsWith('image/')) return {}
  try {
    const bitmap = await createImageBitmap(file)
    const { width, height } = bitmap
    bitmap.close()
    return { width, height }
  } catch {
    // Not a picture that this browser shows.
    return {}
  }
}
