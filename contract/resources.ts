import { Type } from '@sinclair/typebox'
import { Closed, Cursor, Id, Ids, Limit, Nullable, Text } from './fields.js'
import { MAX_BULK_IDS, MAX_NAME_CHARS, PAGES } from './limits.js'
import { Presence } from './shapes.js'

/** The REST routes that are no command: presence and health of the original design, and what only services call. */
export const HealthAnswer = Type.Object(
  {
    status: Type.Unsafe<'ok' | 'degraded' | 'down'>({ type: 'string', enum: ['ok', 'degraded', 'down'] }),
    uptime: Type.Number({ description: 'seconds' }),
    version: Type.String(),
    connections: Type.Integer(),
    onlineUsers: Type.Integer(),
    checks: Type.Object({
      database: Type.Object({ ok: Type.Boolean(), durability: Type.String() }),
      bus: Type.Object({ ok: Type.Boolean() }),
    }),
  },
  { title: 'Health' },
)

export const OnlineQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.online)) })
export const OnlineAnswer = Type.Object({
  count: Type.Integer(),
  users: Type.Array(Presence),
  nextCursor: Nullable(Type.String()),
})

export const UserParams = Closed({ userId: Id })
export const StatusBulkBody = Closed({ userIds: Ids(MAX_BULK_IDS) })
export const StatusBulkAnswer = Type.Object({ statuses: Type.Array(Presence) })

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
export const DeleteUserQuery = Closed({
  erase: Type.Optional(Type.Unsafe<'messages'>({ type: 'string', enum: ['messages'] })),
})
export const DisconnectAnswer = Type.Object({ disconnected: Type.Integer() })
