import { COMMANDS, type CommandName, type RestTwin } from '../../contract/commands.js'
import type { ErrorBody } from '../../contract/errors.js'
import type { ClientSocket, Service } from '../helper.js'

/** One answer, whichever door it came through. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
export type Answer = { ok: true; data: any } | { ok: false; error: ErrorBody }

/** The fields of a command that its REST twin takes from the URL, and whether the others are its query. */
export function restOf(command: CommandName) {
  const rest: RestTwin | null = COMMANDS[command].rest
  if (!rest) return null
  const inUrl = [...rest.url.matchAll(/:(\w+)/g)].map(([, part]) => part as string)
  return { ...rest, inUrl, inQuery: rest.method === 'GET' || rest.method === 'DELETE' }
}

/** What a command's REST twin is asked with, from the input that a socket would send. */
export function toRequest(command: CommandName, input: Record<string, unknown>) {
  const rest = restOf(command)
  if (!rest) throw new Error(`${command} has no REST twin`)
  const left = rest.single ? fromLists(input, rest.single) : { ...input }
  const url = rest.url.replace(/:(\w+)/g, (_, part: string) => {
    const value = encodeURIComponent(String(left[part]))
    delete left[part]
    return value
  })
  const query = rest.inQuery && Object.keys(left).length > 0 ? `?${new URLSearchParams(left as never)}` : ''
  const body = rest.inQuery ? {} : { body: toJson(left), headers: { 'content-type': 'application/json' } }
  return { method: rest.method, url: url + query, ...body }
}

/** Calls a command's REST twin with the input that a socket would send; null `as` is a service that names nobody. */
export async function overRest(
  service: Service,
  command: CommandName,
  input: Record<string, unknown>,
  as: string | null,
  behalf = false,
): Promise<Answer> {
  const { method, url, ...request } = toRequest(command, input)
  const { status, body } = await service.call(method, url, {
    as: as === null || behalf ? 'service' : as,
    ...(as !== null && behalf && { onBehalfOf: as }),
    ...request,
  })
  return status < 300 ? { ok: true, data: body } : { ok: false, error: body.error }
}

/** The URL parts that stand for lists of one. */
function fromLists(input: Record<string, unknown>, single: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(single).map(([part, list]) => [part, (input[list] as unknown[])[0]]))
}

let ids = 1_000_000

/** Sends a command as a packet, number for number as `toJson` writes it, and answers its ack. */
export function overSocket(socket: ClientSocket, command: string, input: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const id = ++ids
    const { acks } = socket as unknown as { acks: Record<number, (answer: Answer) => void> }
    const timer = setTimeout(() => reject(new Error(`no ack of ${command}`)), 15_000)
    acks[id] = (answer) => {
      clearTimeout(timer)
      resolve(answer)
    }
    socket.io.engine.write(`2${id}["${command}",${toJson(input)}]`)
  })
}

/** JSON in which Infinity is a number that JSON can write and JavaScript cannot hold. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part === Number.POSITIVE_INFINITY ? 'Infinity!' : part)).replaceAll(
    '"Infinity!"',
    '1e999',
  )
}
