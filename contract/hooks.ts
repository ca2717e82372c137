import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, Nullable, OneOf } from './fields.js'
import { MAX_URL_CHARS } from './limits.js'
import { Change, Time } from './shapes.js'
import { HOOK_EVENTS } from './words.js'

const HookId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'must be 1 to 64 letters, digits, dots, dashes and underscores',
})

export const HookParams = Closed({ hookId: HookId })

/** What a hook is told by, and of what; without `events`, of everything. */
export const HookBody = Closed({
  url: Type.String({
    maxLength: MAX_URL_CHARS,
    pattern: '^https?://[^/?#@\\s\\u0000\\p{Cs}]+([/?][^#\\s\\u0000\\p{Cs}]*)?$',
    description: 'must be an http(s) URL without user, password and fragment',
  }),
  events: Type.Optional(Type.Array(OneOf(HOOK_EVENTS), { minItems: 1, maxItems: HOOK_EVENTS.length })),
  secret: Type.Optional(
    Type.String({
      pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$',
      description: 'must be whsec_ and the base64 of 24 to 64 random bytes',
    }),
  ),
})

export const ReplayBody = Closed({
  chatId: Type.Optional(Id),
  fromRevision: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
})

/** Who is told of what happens. `secret` is null but in the answer that made it or changed it. */
export const Hook = Type.Object(
  {
    hookId: Type.String(),
    url: Type.String(),
    events: Type.Array(OneOf(HOOK_EVENTS)),
    secret: Nullable(Type.String()),
    oldSecretUntil: Nullable(Time),
    createdAt: Time,
    disabledAt: Nullable(
      Type.String({ description: 'Since it answered 410: it is asked no more until it is put again.' }),
    ),
    lag: Type.Integer({ minimum: 0, description: 'Revisions that it has not taken, as of some seconds ago' }),
    oldestAt: Nullable(Type.String({ description: 'When the oldest of them was written.' })),
    failures: Type.Integer({ minimum: 0, description: 'Requests that failed since the last that it took' }),
    lastFailure: Nullable(Type.String()),
    lastFailureAt: Nullable(Time),
    lastSuccessAt: Nullable(Time),
  },
  { title: 'Hook' },
)
export type Hook = Static<typeof Hook>

export const HookAnswer = Type.Object({ hook: Hook })
export const HooksAnswer = Type.Object({ hooks: Type.Array(Hook) })

const Revision = Type.Integer({ minimum: 1 })

/** What a hook is told of one chat: the revisions `from` to `through`, without a hole; `head` is the chat's last when it was asked. */
export const ChatChanges = Type.Object(
  {
    chatId: Type.String(),
    from: Revision,
    through: Revision,
    head: Revision,
    changes: Type.Array(Change),
    reset: Type.Optional(
      Type.Literal(true, { description: 'Some of these changes are no longer kept: read the chat anew' }),
    ),
    gone: Type.Optional(Type.Literal(true, { description: 'The chat was deleted' })),
  },
  { title: 'ChatChanges' },
)
export type ChatChanges = Static<typeof ChatChanges>

/** What goes to a hook, in one POST. */
export const HookMessage = Type.Object(
  { type: Type.String(), timestamp: Time, data: Type.Unknown() },
  { title: 'HookMessage' },
)

/** A cursor of `/changes/heads` names transactions that were under way. */
export const HeadsQuery = Closed({ cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 8_192 })) })
export const HeadsAnswer = Type.Object({
  chats: Type.Array(Type.Object({ chatId: Type.String(), head: Revision })),
  nextCursor: Type.String(),
})
