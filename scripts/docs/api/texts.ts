import type { Command, CommandName } from '../../../contract/commands.js'
import { BUDGETS, type RateClass } from '../../../contract/limits.js'
import { RESOURCES, type Resource } from '../../../contract/resources.js'
import { COMMAND_WHO, ROUTE_WHO } from '../../../contract/who.js'
import type { Json } from './schemas.js'

const PAGE = RESOURCES.get_events.url
const contact = { name: 'chat-socket-service contributors' }

/** What OpenAPI says of the service, but for its version. */
export const INFO: Json = {
  title: 'chat-socket-service',
  summary: 'Realtime chat and presence.',
  description: [
    `Chats, messages and presence over REST. Most calls are commands of a socket, too: what it sends and hears is told at [${PAGE}](${PAGE}).`,
    '',
    'A failure answers `{ "error": { "code", "message", "retryable" } }` with a code of one catalogue. Ids of users and chats are opaque text, times are RFC 3339 in UTC. Fields may be added to answers: a client passes over those that it does not know.',
  ].join('\n'),
  license: { name: 'MIT', identifier: 'MIT' },
  contact,
}

/** What AsyncAPI says of it. */
export const SOCKET_INFO: Json = {
  title: 'chat-socket-service',
  description: [
    'Chats, messages and presence over Socket.IO: what a client may send, what it is answered, and what it hears.',
    '',
    'An acknowledgement is `{ ok: true, data }` after the commit, or `{ ok: false, error }` with a code of one catalogue. Within a chat, events come in the order of their revision. Fields may be added to payloads: a client passes over those that it does not know.',
    '',
    'A handshake that is refused for good is a `connect_error` with `data: { code, message, retryable: false }`; `closing` is the last event before the server ends a socket.',
  ].join('\n'),
  license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
  contact,
}

/** What OpenAPI says of a command's twin. */
export function commandWords(name: CommandName, { summary, who, service, rate, lookups }: Command): string {
  const byService = service
    ? 'A service calls it by itself, or for a user whom `X-On-Behalf-Of` names.'
    : 'A service calls it for a user, whom `X-On-Behalf-Of` has to name.'
  const doors = `Over a socket it is \`${name}\`.`
  return [summary, '', `For ${COMMAND_WHO[who]}. ${byService} ${doors}${payment(rate, lookups)}`].join('\n')
}

/** What AsyncAPI says of a command. */
export function socketWords({ summary, who, rate, lookups, rest }: Command): string {
  const doors = rest ? `Over REST it is \`${rest.method} ${rest.url}\`.` : 'Over a socket only.'
  return [summary, '', `For ${COMMAND_WHO[who]}. ${doors}${payment(rate, lookups)}`].join('\n')
}

/** What the document says of a route that is no command's twin. */
export function resourceWords({ summary, who, openedBy, rate, lookups, perAddress }: Resource): string {
  const opened = openedBy ? `, or everybody where the setting ${openedBy} opens it` : ''
  const limited = perAddress ? ' An address may call it only so often.' : ''
  return [summary, '', `For ${ROUTE_WHO[who]}${opened}.${payment(rate ?? null, lookups)}${limited}`].join('\n')
}

/** What pays for a call, in words. */
function payment(kind: RateClass | null, lookups: string | undefined): string {
  if (kind === null) return ''
  const { rate, burst } = BUDGETS[kind]
  const ids = lookups ? `, and each of \`${lookups}\` from \`lookups\`` : ''
  return ` A user's call is paid from the budget \`${kind}\` (${rate} a second, ${burst} at once, unless the settings say otherwise)${ids}.`
}
