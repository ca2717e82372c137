import type { CommandName } from '../../contract/commands.js'
import { ERRORS, type ErrorBody } from '../../contract/errors.js'
import type { ResourceName } from '../../contract/resources.js'
import type { Heard } from './doors.js'
import type { Mark, Place } from './matrix.js'

/** What a refusal says, as far as it is fixed; `details` is left out where there are none. */
type Refusal = Pick<ErrorBody, 'code' | 'message'> & { details?: (details: unknown) => boolean }

const reason = (fits: (text: string) => boolean) => (details: unknown) => fits(JSON.stringify(details))
const standard = (code: keyof typeof ERRORS): Refusal => ({ code, message: ERRORS[code].message })
const forbidden = (message: string, details?: (details: unknown) => boolean): Refusal => ({
  code: 'FORBIDDEN',
  message,
  ...(details && { details }),
})

const REFUSALS: Record<Exclude<Mark, '+' | '0' | '.'>, Refusal> = {
  '-': standard('NOT_FOUND'),
  F: standard('FORBIDDEN'),
  M: forbidden(
    'You are muted in this chat.',
    reason((text) => text === '{"reason":"muted","until":"9999-12-31T23:59:59.999Z"}'),
  ),
  B: forbidden(
    'There is nothing to be said between you two.',
    reason((text) => text === '{"reason":"blocked"}'),
  ),
  S: forbidden('A service calls this for a user: name one in X-On-Behalf-Of.'),
  O: forbidden('Only a socket can call this.'),
  X: forbidden('Only service credentials can call this.'),
  C: { code: 'CONFLICT', message: 'A direct chat has its two members for ever.' },
  K: {
    code: 'CONFLICT',
    message: 'Somebody is banned from this chat: unban them first.',
    details: reason((text) => text === '{"reason":"banned","userIds":["banned"]}'),
  },
  V: { ...standard('VALIDATION_FAILED'), details: Array.isArray },
  U: standard('UNAUTHENTICATED'),
}

// biome-ignore lint/suspicious/noExplicitAny: what is looked for is what is asserted
type Sees = (data: any, at: Place) => boolean

/** Whether an answer holds what was asked for, where it can be ok without. */
const SEES: { [name in CommandName | ResourceName]?: Sees } = {
  mark_as_read: ({ chats }) => chats.length > 0,
  search_messages: ({ messages }) => messages.length > 0,
  list_mentions: ({ messages }, at) => messages.some(({ chatId }: Place) => chatId === at.chatId),
  sync: ({ chats }, { chatId }) => chats[chatId].gone !== true,
  list_chats: ({ chats }, at) => chats.some(({ chatId }: Place) => chatId === at.chatId),
  get_users: ({ users }) => users.length > 0,
  watch_presence: ({ presences }) => presences[0].isOnline,
  list_online: ({ users }, { other }) => users.some(({ userId }: { userId: string }) => userId === other),
  get_status: ({ isOnline }) => isOnline,
  get_statuses: ({ statuses }) => statuses[0].isOnline,
}

/** Whether a mark is a refusal. */
export const isRefusal = (mark: Mark): mark is keyof typeof REFUSALS => Object.hasOwn(REFUSALS, mark)

/** What is wrong with an answer, by its mark; nothing when it is as the mark says. */
export function faultOf(name: CommandName | ResourceName, mark: Mark, at: Place, heard: Heard): string | undefined {
  const { answer, status } = heard
  if (!isRefusal(mark)) {
    if (!answer.ok) return `is refused: ${JSON.stringify(answer.error)}`
    const sees = SEES[name]
    if (sees && sees(answer.data, at) !== (mark === '+')) return `answers ${JSON.stringify(answer.data)}`
    return mark === '0' && !sees ? 'cannot be empty' : undefined
  }
  if (answer.ok) return `is let in: ${JSON.stringify(answer.data)}`
  const { details, ...refusal } = REFUSALS[mark]
  const { details: told, ...error } = answer.error
  const expected = { code: refusal.code, message: refusal.message, retryable: ERRORS[refusal.code].retryable }
  // To the byte: the order of the keys, too.
  if (JSON.stringify(error) !== JSON.stringify(expected)) return `is told ${JSON.stringify(answer.error)}`
  if (details ? !details(told) : 'details' in answer.error) return `is told details: ${JSON.stringify(told)}`
  if (status !== undefined && status !== ERRORS[refusal.code].status) return `has status ${status}`
  return undefined
}
