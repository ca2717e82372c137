/** Why a member is refused what they else may do, as `details.reason` says it. */
export const REFUSAL_REASONS = ['muted', 'blocked', 'frozen', 'slow_mode', 'banned'] as const

/** The roles of a chat's members, highest first. */
export const ROLES = ['owner', 'admin', 'member'] as const
export const CHAT_TYPES = ['direct', 'group'] as const
/** From where on a new member sees a chat: from its start, or from their joining. */
export const HISTORY_VISIBILITIES = ['all', 'joined'] as const

/** Which of one's chats `list_chats` answers: what is neither archived nor hidden, what is archived, what of the first is unread, or all. */
export const CHAT_FILTERS = ['active', 'archived', 'unread', 'all'] as const

const WHILE_HERE = ['online', 'away', 'dnd'] as const
/** How somebody looks to others. */
export const PRESENCE_STATUSES = [...WHILE_HERE, 'offline'] as const
/** What users say of themselves. */
export const CHOSEN_STATUSES = [...WHILE_HERE, 'invisible'] as const

/** What a line of a chat's log says happened, and as which type of change `sync` tells it. */
export const CHANGE_KINDS = {
  message_created: 'message_created',
  message_updated: 'message_updated',
  message_deleted: 'message_deleted',
  member_added: 'member_changed',
  member_removed: 'member_changed',
  member_role: 'member_changed',
  member_muted: 'member_changed',
  chat_created: 'chat_updated',
  chat_updated: 'chat_updated',
  chat_deleted: 'chat_updated',
  messages_expired: 'messages_expired',
} as const

/** What hooks can be told of beside the changes of chats. */
export const HOOK_NOTICES = ['member.unread', 'message.reported'] as const
/** All that a hook can be told of. */
export const HOOK_EVENTS: (ChangeType | HookNotice)[] = [...new Set(Object.values(CHANGE_KINDS)), ...HOOK_NOTICES]

export type HookNotice = (typeof HOOK_NOTICES)[number]
export type HookEvent = ChangeType | HookNotice
/** Who carries a push to a device: a browser's push service, Google's or Apple's. */
export const DEVICE_KINDS = ['web', 'fcm', 'apns'] as const

export type DeviceKind = (typeof DEVICE_KINDS)[number]
export type RefusalReason = (typeof REFUSAL_REASONS)[number]
export type ChatFilter = (typeof CHAT_FILTERS)[number]
export type ChosenStatus = (typeof CHOSEN_STATUSES)[number]
export type ChangeKind = keyof typeof CHANGE_KINDS
export type ChangeType = (typeof CHANGE_KINDS)[ChangeKind]

/** The keys of a table, as a list of their type. */
export function keysOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[]
}
