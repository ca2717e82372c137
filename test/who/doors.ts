import { COMMANDS, type CommandName } from '../../contract/commands.js'
import type { ChatError } from '../../contract/errors.js'
import type { Caller } from '../../services/hub/callers.js'
import type { CallOptions, ClientSocket, Service } from '../helper.js'
import { type Answer, overSocket, toRequest } from '../helpers/doors.js'
import type { Actor } from './matrix.js'
import { USER_OF } from './place.js'

/** An answer, through which door it came, and with which status where that has one. */
export interface Heard {
  door: 'socket' | 'REST' | 'in the process'
  answer: Answer
  status?: number
}

/** Not from this machine. */
const REMOTE = { 'x-forwarded-for': '203.0.113.7' }

/** With what an actor calls REST. */
function credentialsOf(actor: Actor): CallOptions {
  if (actor === 'this machine') return {}
  if (actor === 'anonymous') return { headers: REMOTE }
  if (actor === 'service') return { as: 'service', headers: REMOTE }
  if (isForUser(actor)) return { as: 'service', onBehalfOf: USER_OF[actor], headers: REMOTE }
  return { as: USER_OF[actor], headers: REMOTE }
}

const isForUser = (actor: Actor): boolean => actor.startsWith('for a ')

/** Whether an actor is a user, who has a socket. */
export const isUser = (actor: Actor): boolean =>
  actor !== 'service' && actor !== 'anonymous' && actor !== 'this machine' && !isForUser(actor)

/** Calls REST as an actor. */
export async function request(
  service: Service,
  actor: Actor,
  { method, url, ...options }: { method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; url: string } & CallOptions,
): Promise<Heard> {
  const credentials = credentialsOf(actor)
  const { status, body } = await service.call(method, url, {
    ...credentials,
    ...options,
    headers: { ...credentials.headers, ...options.headers },
  })
  const answer: Answer = status < 300 ? { ok: true, data: body } : { ok: false, error: body.error }
  return { door: 'REST', answer, status }
}

/** Through which doors an actor can send a command. */
export function doorsOf(command: CommandName, actor: Actor): Heard['door'][] {
  const doors: Heard['door'][] = COMMANDS[command].rest ? ['REST'] : []
  if (isUser(actor)) return ['socket', ...doors]
  return doors.length > 0 ? doors : ['in the process']
}

/** Sends a command as an actor through a door. */
export async function send(
  service: Service,
  sockets: Map<Actor, ClientSocket>,
  { command, actor, door }: { command: CommandName; actor: Actor; door: Heard['door'] },
  input: Record<string, unknown>,
): Promise<Heard> {
  if (door === 'REST') return request(service, actor, toRequest(command, input))
  const socket = sockets.get(actor)
  if (door === 'socket' && socket) return { door, answer: await overSocket(socket, command, input) }
  const userId = USER_OF[actor]
  const user = { userId, name: userId, avatarUrl: null }
  const caller: Caller = isForUser(actor)
    ? { kind: 'user', userId, user, isService: true, expiresAtMs: null }
    : { kind: 'service' }
  const answer = await service.app.chat.binder.run(command, caller, input).then(
    (data): Answer => ({ ok: true, data }),
    (error: ChatError): Answer => ({ ok: false, error: error.toBody() }),
  )
  return { door: 'in the process', answer }
}
