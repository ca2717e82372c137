/** What a text of the wire is: an event or the answer to one, of either side, or what the proxy lets pass as it is. */
export type Packet =
  | { kind: 'event'; name: string; payload: Fields; id: string; text: string }
  | { kind: 'ack'; name: string; payload: Fields; answer: Answer; id: string; text: string }
  | { kind: 'other'; text: string }

/** What a payload holds; a scenario knows what it looks for. */
export type Fields = Record<string, unknown>

/** What a command was answered. */
export interface Answer {
  ok: boolean
  data?: Fields
  error?: object
}

/** Which command each id of a connection was for. */
export type Asked = Map<string, { name: string; payload: Fields }>

// Engine.IO's `4` is a message; then Socket.IO's type (2 an event, 3 an ack), the id of the ack, and JSON.
const EVENT = /^42(\d*)(\[.*\])$/s
const ACK = /^43(\d+)(\[.*\])$/s

/** Reads one text; `asked` tells what an ack answers. */
export function parse(text: string, asked: Asked): Packet {
  const [, eventId, event] = EVENT.exec(text) ?? []
  if (eventId !== undefined && event !== undefined) {
    const [name, payload] = JSON.parse(event)
    return { kind: 'event', name: String(name), payload: payload ?? {}, id: eventId, text }
  }
  const [, id, body] = ACK.exec(text) ?? []
  const command = id === undefined ? undefined : asked.get(id)
  if (id === undefined || body === undefined || !command) return { kind: 'other', text }
  return { kind: 'ack', ...command, answer: JSON.parse(body)[0], id, text }
}

/** An event as text; with an id where it asks for an answer. */
export const toEvent = (name: string, payload: unknown, id = ''): string => `42${id}${JSON.stringify([name, payload])}`

/** An answer as text. */
export const toAck = (id: string, answer: Answer): string => `43${id}${JSON.stringify([answer])}`

/** Socket.IO's disconnect by the server: a stock client stays away after it. */
export const DISCONNECT = '41'
