import { createHash } from 'node:crypto'
import { Id, Metadata } from '../../contract/fields.js'
import { MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES, MAX_TITLE_CHARS } from '../../contract/limits.js'
import type { Role } from '../../contract/shapes.js'
import { compile } from '../../services/validator.js'
import type { OldChat, OldMember, OldMessage, OldUser } from './source.js'
import type { NewChat, NewMessage } from './target.js'

/** A row that is not taken; the message says why. */
export class Refusal extends Error {}

const isId = compile(Id)
const isMetadata = compile(Metadata)
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const DIRECT = /direct|private|dm|one|single|personal/i

function idOf(id: string): string {
  if (!isId(id)) throw new Refusal('its id is not 1 to 128 plain characters')
  return id
}

/** The id that a message has here: its own if that is a UUID, else always the same one made of it. */
export function messageId(oldId: string): string {
  if (UUID.test(oldId)) return oldId.toLowerCase()
  const hex = createHash('sha256').update(`chat-socket-service:import:${oldId}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

export function toUser({ id, name, avatarUrl, createdAt, lastSeenAt }: OldUser) {
  return {
    id: idOf(id),
    name: name?.trim() || id,
    avatarUrl: avatarUrl || null,
    createdAt: createdAt ?? new Date(),
    lastSeenAt,
  }
}

/** A chat with those of its members who are users; a group gets an owner: the one named, else the first who came. */
export function toChat(old: OldChat, members: OldMember[]): NewChat {
  const id = idOf(old.id)
  const createdAt = old.createdAt ?? members.find(({ joinedAt }) => joinedAt)?.joinedAt ?? new Date(0)
  const title = [...(old.title ?? '').trim()].slice(0, MAX_TITLE_CHARS).join('') || null
  const isPair = members.length === 2
  const type = isPair && (old.kind === null ? title === null : DIRECT.test(old.kind)) ? 'direct' : 'group'
  const roles = members.map(({ userId, role }) => (userId === old.ownerId ? 'owner' : toRole(role)))
  if (type === 'group' && roles.length > 0 && !roles.includes('owner')) roles[0] = 'owner'
  return {
    id,
    type,
    title: type === 'direct' ? null : title,
    pair: type === 'direct' ? JSON.stringify(members.map(({ userId }) => userId).sort()) : null,
    createdAt,
    members: members.map(({ userId, joinedAt }, i) => ({
      userId,
      role: type === 'direct' ? 'member' : (roles[i] ?? 'member'),
      joinedAt: joinedAt ?? createdAt,
    })),
  }
}

function toRole(role: string | null): Role {
  const name = role?.toLowerCase() ?? ''
  if (name === 'owner' || name === 'creator') return 'owner'
  return name === 'admin' || name === 'moderator' ? 'admin' : 'member'
}

export function toMessage(old: OldMessage): NewMessage {
  if (old.senderId === null) throw new Refusal('it has no sender')
  if (old.createdAt === null) throw new Refusal('it has no time')
  const content = old.content?.trim() ? old.content : null
  const metadata = metadataOf(old)
  if (old.deletedAt === null && content === null && metadata === null) throw new Refusal('it says nothing')
  if (Buffer.byteLength(old.content ?? '') > MAX_PAYLOAD_BYTES)
    throw new Refusal(`it is larger than ${MAX_PAYLOAD_BYTES / 1_024} KiB`)
  return {
    id: messageId(old.id),
    chatId: old.chatId,
    senderId: old.senderId,
    clientMessageId: `import:${isId(`import:${old.id}`) ? old.id : messageId(old.id)}`,
    content: old.deletedAt === null ? content : null,
    metadata: old.deletedAt === null ? metadata : null,
    replyToId: old.replyToId === null ? null : messageId(old.replyToId),
    createdAt: old.createdAt,
    editedAt: old.editedAt,
    deletedAt: old.deletedAt,
  }
}

/** Its own metadata, and where its file is: the bytes stay where they are. */
function metadataOf({ metadata, attachmentUrl, attachmentName, attachmentType }: OldMessage): object | null {
  const own: unknown = metadata === null ? null : JSON.parse(metadata)
  if (own !== null && (typeof own !== 'object' || Array.isArray(own))) throw new Refusal('its metadata is no object')
  const all = {
    ...own,
    ...(attachmentUrl?.trim() && {
      attachmentUrl,
      ...(attachmentName && { attachmentName }),
      ...(attachmentType && { attachmentType }),
    }),
  }
  if (Object.keys(all).length === 0) return null
  if (!isMetadata(all))
    throw new Refusal(
      `its metadata, or the address of its file, is larger than ${MAX_METADATA_BYTES / 1_024} KiB or too deep`,
    )
  return all
}
