import { createHash, randomUUID } from 'node:crypto'
import type { Output } from '../../contract/commands.js'
import type { Service } from '../helper.js'

/** Has a message carry a file of five bytes, which is uploaded as clients do; its row is made here, whatever the rules say. */
export async function attach(
  { app, host, url }: Service,
  { chatId, messageId, sender }: { chatId: string; messageId: string; sender: string },
): Promise<string> {
  const id = randomUUID()
  if (app.chat.config.UPLOADS !== 'folder') return id
  const hash = createHash('sha256').update('token').digest()
  await app.chat.db.run(
    'test_attach',
    `INSERT INTO uploads (id, chat_id, user_id, name, mime_type, size, created_at, message_id, token_hash)
    VALUES ($1, $2, $3, 'a.txt', 'text/plain', 5, clock_timestamp(), $4, $5)`,
    [id, chatId, sender, messageId, hash],
  )
  const headers = { 'content-type': 'text/plain', 'x-upload-token': 'token' }
  const answer = host.server.listening
    ? await fetch(`${url}/attachments/${id}`, { method: 'PUT', headers, body: 'hello' })
    : { status: 0 }
  if (answer.status !== 200) throw new Error(`the file was not uploaded: ${answer.status}`)
  return id
}

export type Begun = Output<'create_upload'>

/** What a test says of a file; the rest is of a small text. */
export interface FileInput {
  name?: string
  mimeType?: string
  size?: number
  [other: string]: unknown
}

/** Begins an upload over REST. */
export const begin = (service: Service, as: string, chatId: string, file: FileInput = {}) =>
  service.call('POST', `/chats/${chatId}/uploads`, {
    as,
    body: { name: 'a.txt', mimeType: 'text/plain', size: 5, ...file },
  })

/** What fetch wants to hear of a stream. */
const HALF = { duplex: 'half' } as const
export type Body = string | Buffer | ReadableStream

/** PUTs bytes where an upload said, as a browser does. */
export function put(
  { url }: Service,
  { upload }: Begun,
  body: Body,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL(upload.url, url), { method: 'PUT', body, headers: { ...upload.headers, ...headers }, ...HALF })
}

/** Asks for the bytes of a file, and follows where they are. */
export const get = (service: Service, as: string, id: string, headers: Record<string, string> = {}) =>
  fetch(`${service.url}/attachments/${id}`, { headers: { authorization: `Bearer ${service.token(as)}`, ...headers } })

/** Has a message carry a file, as a send would. */
export async function take({ app }: Service, id: string, messageId: string): Promise<void> {
  const rows = await app.chat.db.run(
    'test_take',
    `UPDATE uploads SET message_id = $2
    WHERE id = $1 AND message_id IS NULL AND stored_at IS NOT NULL AND dropped_at IS NULL RETURNING id`,
    [id, messageId],
  )
  if (rows.length !== 1) throw new Error('the upload cannot be taken')
}
