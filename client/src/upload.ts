import type { UploadOptions } from './api.js'
import type { Command } from './connection.js'
import { localError } from './errors.js'
import type { Attachment } from './wire.js'

/** Where a file goes: `url` is the service's, for upload URLs that begin with /. */
export interface UploadPort {
  command: Command
  url: string
}

/** Sends a file of a chat; answers the attachment for a message to carry. */
export async function upload(
  { command, url }: UploadPort,
  chatId: string,
  file: Blob & { name?: string },
  { onProgress, signal, ...sizes }: UploadOptions = {},
): Promise<Attachment> {
  const { name = 'file', type, size } = file
  const mimeType = type.split(';')[0] || 'application/octet-stream'
  const { attachment, upload: target } = await command('create_upload', { chatId, name, mimeType, size, ...sizes })
  const { method, headers } = target
  const answer = await fetch(target.url.startsWith('/') ? url + target.url : target.url, {
    method,
    headers,
    body: file,
    ...(signal && { signal }),
  })
  if (!answer.ok) throw localError('UNAVAILABLE', `The upload was answered with ${answer.status}.`, true)
  onProgress?.(size, size)
  return attachment
}
