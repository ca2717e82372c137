import { Type } from '@sinclair/typebox'
import { Closed, Cursor, Id, Ids, Limit, MessageId, Nullable, OneOf, Text } from './fields.js'
import { MAX_BULK_IDS, MAX_NAME_CHARS, PAGES } from './limits.js'
import { Presence, Report, Time, UnreadTotals } from './shapes.js'

// What the routes of `resources.ts` take and answer; those of hooks and of health have files of their own.

export const OnlineQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.online)) })
export const OnlineAnswer = Type.Object({
  count: Type.Integer(),
  users: Type.Array(Presence),
  nextCursor: Nullable(Type.String()),
})

export const UserParams = Closed({ userId: Id })
export const ChatParams = Closed({ chatId: Id })
export const StatusBulkBody = Closed({ userIds: Ids(MAX_BULK_IDS) })
export const StatusBulkAnswer = Type.Object({ statuses: Type.Array(Presence) })

export const UnreadBody = Closed({ userIds: Ids(MAX_BULK_IDS) })
export const UnreadAnswer = Type.Object({
  totals: Type.Array(Type.Composite([Type.Object({ userId: Type.String() }), UnreadTotals])),
})

export const UserBody = Closed({
  name: Text(MAX_NAME_CHARS),
  avatarUrl: Type.Optional(
    Nullable(
      Type.String({
        maxLength: 2_048,
        pattern: '^https?://[^\\s\\u0000\\p{Cs}]*$',
        description: 'must be an http(s) URL',
      }),
    ),
  ),
})
export const DeleteUserQuery = Closed({ erase: Type.Optional(OneOf(['messages'])) })
/** That a user's messages are being deleted. */
export const ErasingAnswer = Type.Object({ erasing: Type.Literal(true) })
/** How far that has come: `doneAt` is null while it goes on, `askedAt` where nobody asked for it. */
export const ErasureAnswer = Type.Object({ erased: Type.Integer(), askedAt: Nullable(Time), doneAt: Nullable(Time) })
export const DisconnectAnswer = Type.Object({ disconnected: Type.Integer() })
/** Tokens count again whose `iat` is at `validFrom` or later; one in whole seconds is of the beginning of its second. */
export const RevokeAnswer = Type.Object({ disconnected: Type.Integer(), validFrom: Time })

export const ReportsQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.reports)) })
export const ReportsAnswer = Type.Object({ reports: Type.Array(Report), nextCursor: Nullable(Type.String()) })

/** The key that a browser's `pushManager.subscribe` takes as its `applicationServerKey`. */
export const PushKeyAnswer = Type.Object({ publicKey: Type.String() })

export const AttachmentParams = Closed({ attachmentId: MessageId })
