import type { UploadOptions } from './api.js'
import type { Command } from './command.js'
import type { ClientErrorBody, localError, retryIn, toError } from './errors.js'
import type { Attachment, ErrorBody, Output } from './wire.js'

/** What a file is sent with. The errors are handed over as well: imported, they would make a third file of what two share. */
export interface UploadPort {
  command: Command
  errors: { toError: typeof toError; localError: typeof localError; retryIn: typeof retryIn }
  /** Where the service keeps an attachment that is not in a bucket; it may be told under another prefix than it is reached by. */
  attachmentUrl(attachmentId: string): string
}

type Target = Output<'create_upload'>['upload']
type Answer = { status: number; text: string }
type Way = Pick<UploadOptions, 'onProgress' | 'signal'> & Pick<UploadPort, 'errors'>

const TRIES = 5
const RETRY_MS = 500
const MIME_TYPE = /^[a-z0-9][\w.+-]*\/[\w.+-]+$/

/** Sends a file of a chat; answers the attachment for a message to carry. A PUT that breaks is sent again; rejects with the reason of `signal` when that ends it. */
export async function upload(
  { command, attachmentUrl, errors }: UploadPort,
  chatId: string,
  file: Blob & { name?: string },
  { onProgress, signal, ...sizes }: UploadOptions = {},
): Promise<Attachment> {
  const way: Way = { errors, ...(onProgress && { onProgress }), ...(signal && { signal }) }
  const mimeType = file.type.split(';')[0]?.trim().toLowerCase() ?? ''
  const input = {
    chatId,
    name: file.name || 'file',
    mimeType: MIME_TYPE.test(mimeType) ? mimeType : 'application/octet-stream',
    size: file.size,
    ...sizes,
  }
  const { attachment, upload: target } = await insist(() => command('create_upload', input), way)
  const url = target.url.startsWith('/') ? attachmentUrl(attachment.id) : target.url
  await insist((isAgain) => putOnce({ ...target, url }, file, way, isAgain), way)
  return attachment
}

/** Tries again what is refused for now. */
async function insist<T>(call: (isAgain: boolean) => Promise<T>, { signal, errors }: Way): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    signal?.throwIfAborted()
    try {
      return await call(tried > 1)
    } catch (error) {
      signal?.throwIfAborted()
      const waitMs = errors.retryIn(error, RETRY_MS * 2 ** tried * (0.5 + Math.random() / 2))
      if (tried === TRIES || waitMs === undefined) throw error
      await pause(waitMs, signal)
    }
  }
}

const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(end, ms)
    function end(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    signal?.addEventListener('abort', end)
  })

async function putOnce(target: Target, file: Blob, way: Way, isAgain: boolean): Promise<void> {
  const { toError, localError } = way.errors
  const put = typeof XMLHttpRequest === 'undefined' ? putByFetch : putByRequest
  const { status, text } = await put(target, file, way)
  // Sent again, a file that has arrived is refused: by the service with 409, by a bucket with 412.
  const body = errorIn(text)
  const isThere = isAgain && (status === 412 || (status === 409 && body?.code === 'CONFLICT'))
  if ((status >= 200 && status < 300) || isThere) return way.onProgress?.(file.size, file.size)
  if (body) throw toError(body)
  const isPassing = status === 0 || status === 408 || status === 409 || status === 429 || status >= 500
  throw isPassing
    ? localError('UNAVAILABLE', `The upload broke off (${status}).`, true)
    : localError('FORBIDDEN', `The upload was refused with ${status}.`, false)
}

function errorIn(text: string): ClientErrorBody | null {
  try {
    const { error }: { error?: ErrorBody } = JSON.parse(text)
    return error?.code ? error : null
  } catch {
    return null
  }
}

/** Answers the status 0 where the connection broke. */
async function putByFetch({ method, url, headers }: Target, file: Blob, { onProgress, signal }: Way): Promise<Answer> {
  onProgress?.(0, file.size)
  try {
    const answer = await fetch(url, { method, headers, body: file, ...(signal && { signal }) })
    return { status: answer.status, text: await answer.text() }
  } catch {
    return { status: 0, text: '' }
  }
}

/** As fetch, in browsers, where only this tells how far it is. */
function putByRequest({ method, url, headers }: Target, file: Blob, { onProgress, signal }: Way): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open(method, url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded }) => onProgress?.(Math.min(loaded, file.size), file.size)
    request.onloadend = () => {
      signal?.removeEventListener('abort', abort)
      resolve({ status: request.status, text: request.responseText })
    }
    signal?.addEventListener('abort', abort)
    request.send(file)
  })
}
