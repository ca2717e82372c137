import { createHash, randomUUID } from 'node:crypto'
import type { Service } from '../helper.js'

/** Has a message carry a file of five bytes, which is uploaded as clients do; its row is made here, whatever the rules say. */
export async function attach(
  { app, host, url }: Service,
  { chatId, messageId, sender }: { chatId: string; messageId: string; sender: string },
): Promise<string> {
  const id = randomUUID()
  if (!app.chat.config.UPLOADS?.startsWith('folder')) return id
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
