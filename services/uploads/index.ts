import { createHash, randomBytes } from 'node:crypto'
import type { Input, Output } from '../../contract/commands.js'
import { ChatError, invalid } from '../../contract/errors.js'
import { MAX_OPEN_UPLOADS, UPLOAD_URL_MS } from '../../contract/limits.js'
import type { Attachment } from '../../contract/shapes.js'
import { storageFull } from '../db/errors.js'
import type { Database } from '../db/index.js'
import { createId } from '../log/ids.js'
import { granted, type Outcome } from '../log/outcomes.js'
import { toTime } from '../time.js'
import { dispositionOf } from './disposition.js'
import type { FilePlace, UploadStore } from './ports.js'

export interface UploadsOptions {
  db: Pick<Database, 'run' | 'isFull'>
  /** Null where nothing is uploaded. */
  store: UploadStore | null
  maxBytes: number
}

export type Uploads = ReturnType<typeof createUploads>

/** Whose call it is; a service that acts for a user is not held up by a frozen chat. */
export interface Uploader {
  userId: string
  isService?: true
}

/** The bytes that a client sends, and what its request says of them. */
export interface Incoming {
  token: string | undefined
  mimeType: string | undefined
  /** Unknown where they come in chunks. */
  length: number | undefined
  bytes: AsyncIterable<Buffer>
}

const OFF = 'This service takes no files.'
const isOff = () => new ChatError('CONFLICT', { message: OFF })
const digest = (token: string) => createHash('sha256').update(token).digest()

/** Files of messages: a row says whose a file is, a store keeps its bytes, and a message takes it once. */
export function createUploads({ db, store, maxBytes }: UploadsOptions) {
  const markStored = async (id: string): Promise<boolean> => (await db.run('upload_stored', STORED, [id])).length > 0

  /** Bytes in a store that this service does not see come: it looks when somebody asks for them. */
  async function found(row: UploadRow): Promise<boolean> {
    if (row.stored_at !== null) return true
    if (!store || store.receive || !(await store.isWhole(toAttachment(row)))) return false
    await markStored(row.id)
    return true
  }

  return {
    /** Begins an upload for who may write in its chat; refused as a send would be. */
    async create({ userId, isService }: Uploader, input: Input<'create_upload'>): Promise<Output<'create_upload'>> {
      const { chatId, name, mimeType, size, width = null, height = null, durationMs = null } = input
      if (size > maxBytes) throw invalid({ path: '/size', message: `must not be more than ${maxBytes} bytes` })
      if (!store) throw isOff()
      if (db.isFull()) throw storageFull(undefined)
      const attachment: Attachment = { id: createId(), name, mimeType, size, width, height, durationMs }
      const token = randomBytes(32).toString('base64url')
      const rows = await db.run<CreatedRow>('upload_create', CREATE, [
        chatId,
        userId,
        isService === true,
        JSON.stringify(attachment),
        store.receive ? digest(token) : null,
        MAX_OPEN_UPLOADS,
      ])
      const { at } = granted(rows[0])
      const { url, headers } = await store.target(attachment, token, UPLOAD_URL_MS)
      const expiresAt = toTime(Date.parse(at) + UPLOAD_URL_MS)
      return { attachment, upload: { method: 'PUT', url, headers, expiresAt } }
    },

    /** Takes the bytes of an upload from who holds its token, once. */
    async receive(id: string, { token, mimeType, length, bytes }: Incoming): Promise<void> {
      if (!store?.receive || token === undefined) throw new ChatError('NOT_FOUND')
      const [row] = await db.run<UploadRow>('upload_of_token', OF_TOKEN, [id, digest(token), UPLOAD_URL_MS])
      if (!row) throw new ChatError('NOT_FOUND')
      if (row.stored_at !== null) throw new ChatError('CONFLICT', { message: 'This file was uploaded already.' })
      const claims = toAttachment(row)
      if (mimeType !== claims.mimeType) throw invalid({ path: '', message: `must have the type ${claims.mimeType}` })
      if (length !== undefined && length !== claims.size) {
        throw invalid({ path: '', message: `must have ${claims.size} bytes, as create_upload was told` })
      }
      const isKept = await store.receive(claims, bytes)
      if (await markStored(id)) return
      if (!isKept) throw new ChatError('CONFLICT', { message: 'This file was uploaded already.' })
      // Given up meanwhile, it has no row that would have its bytes removed; else another PUT has marked ours.
      if ((await db.run('upload_is_known', KNOWN, [[id]])).length > 0) return
      await store.remove(id)
      throw new ChatError('NOT_FOUND')
    },

    /** A file that a user may have, and where its bytes are; null stands for a service. */
    async read(
      userId: string | null,
      id: string,
    ): Promise<{ attachment: Attachment; disposition: string; place: FilePlace }> {
      const [row] = store ? await db.run<UploadRow>('upload_visible', VISIBLE, [id, userId]) : []
      if (!store || !row || !(await found(row))) throw new ChatError('NOT_FOUND')
      const attachment = toAttachment(row)
      const disposition = dispositionOf(attachment)
      return { attachment, disposition, place: await store.place(attachment, disposition) }
    },

    /**
     * Before a send takes uploads of its sender: has those marked whose bytes have come to a store that this service does not see. Whether
     * they may be taken is for the send to say, under its chat's lock.
     */
    async confirm(userId: string, chatId: string, ids: string[]): Promise<void> {
      if (!store) throw isOff()
      if (store.receive || ids.length === 0) return
      const rows = await db.run<UploadRow>('uploads_to_confirm', TO_CONFIRM, [ids, userId, chatId])
      await Promise.all(rows.map(found))
    },
  }
}

export interface UploadRow extends Record<string, unknown> {
  id: string
  name: string
  mime_type: string
  size: string
  width: number | null
  height: number | null
  duration_ms: number | null
  stored_at: string | null
}

type CreatedRow = Outcome & { at: string } & Record<string, unknown>

const toAttachment = (row: UploadRow): Attachment => ({
  id: row.id,
  name: row.name,
  mimeType: row.mime_type,
  size: Number(row.size),
  width: row.width,
  height: row.height,
  durationMs: row.duration_ms,
})

const COLUMNS = 'u.id, u.name, u.mime_type, u.size, u.width, u.height, u.duration_ms, u.stored_at'

const CREATE = 'SELECT * FROM upload_create($1, $2, $3, $4, $5, $6)'

const OF_TOKEN = `
SELECT ${COLUMNS} FROM uploads u
WHERE u.id = $1 AND u.token_hash = $2 AND u.dropped_at IS NULL AND u.created_at > clock_timestamp() - $3 * interval '1 millisecond'`

const STORED = `
UPDATE uploads SET stored_at = clock_timestamp() WHERE id = $1 AND stored_at IS NULL AND dropped_at IS NULL RETURNING id`

const KNOWN = 'SELECT id FROM uploads WHERE id = ANY ($1::uuid[])'

const VISIBLE = `SELECT ${COLUMNS} FROM upload_visible($1, $2) u`

const TO_CONFIRM = `
SELECT ${COLUMNS} FROM uploads u
WHERE u.id = ANY ($1::uuid[]) AND u.user_id = $2 AND u.chat_id = $3 AND u.stored_at IS NULL AND u.message_id IS NULL AND u.dropped_at IS NULL`
