import { Type } from '@sinclair/typebox'
import { CLOSINGS } from '../../contract/closings.js'
import { EVENTS } from '../../contract/events.js'
import { Id, Nullable, OneOf, Whole } from '../../contract/fields.js'
import { BUDGETS } from '../../contract/limits.js'
import { Chat, Member, Message } from '../../contract/shapes.js'
import { CHANGE_KINDS, keysOf } from '../../contract/words.js'
import { textOf } from '../texts.js'
import { guard } from '../validator.js'
import {
  type BlockNews,
  type End,
  HOST_METHODS,
  type HostCall,
  type LoggedChange,
  type ProfileNews,
  type Range,
  type SettingsNews,
  type Signal,
  type Spent,
  type Told,
  type Written,
} from './news.js'

/**
 * What nodes send each other: `[version, node, number, lines]`, in JSON. Packets that tell something are numbered one by one, and what its node could not
 * send takes a number too; a packet that tells nothing repeats the last one, so that whoever listens finds out what is missing. A line begins
 * with what it is; one that a reader does not know is passed over, so what an older node must not miss needs a new version.
 */
const VERSION = 1

const Changes = Type.Tuple([
  Type.Literal('changes'),
  Id,
  Nullable(Type.Tuple([Whole, Whole])),
  Type.Array(Id),
  Type.Array(Type.Unknown()),
])
const Ended = Type.Tuple([
  Type.Literal('end'),
  Id,
  OneOf(keysOf(CLOSINGS)),
  Type.Number({ minimum: 0 }),
  Nullable(Whole),
])
/** The same of some connections: a line of its own, for a node that does not know it must not end all. */
const Ousted = Type.Tuple([
  Type.Literal('oust'),
  Id,
  OneOf(keysOf(CLOSINGS)),
  Type.Number({ minimum: 0 }),
  Nullable(Whole),
  Type.Array(Id),
])
const Block = Type.Tuple([Type.Literal('block'), Id, Id])
const Settings = Type.Tuple([Type.Literal('settings'), Id, Id])
const SpentLine = Type.Tuple([
  Type.Literal('spent'),
  OneOf(keysOf(BUDGETS)),
  Type.String({ maxLength: 256 }),
  Type.Number({ minimum: 0 }),
])
const Profiles = Type.Tuple([Type.Literal('profiles'), Type.Array(Id), Type.Array(Id)])
const Texts = Type.Array(Type.String())
const Host = Type.Tuple([
  Type.Literal('host'),
  Type.String(),
  OneOf(HOST_METHODS),
  Texts,
  Texts,
  Type.Array(Type.Unknown()),
])
const Change = Type.Object({
  revision: Whole,
  kind: OneOf(keysOf(CHANGE_KINDS)),
  actorId: Nullable(Id),
  message: Type.Optional(Message),
  member: Type.Optional(Member),
  chat: Type.Optional(Chat),
  memberCount: Type.Optional(Whole),
  hiddenFrom: Type.Optional(Type.Array(Id)),
  // A node that does not know it passes it over.
  trace: Type.Optional(Type.Record(Type.String(), Type.String())),
})
/** As nodes of the version before tell one: without who made it, and with less of a message than we need. */
const OlderChange = Type.Object({
  revision: Whole,
  kind: OneOf(keysOf(CHANGE_KINDS)),
  actorId: Type.Optional(Type.Never()),
})
const SIGNAL = Type.Literal('signal')

const isPacket = guard(
  Type.Tuple([
    Type.Literal(VERSION),
    Type.String({ minLength: 1, maxLength: 64 }),
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    Type.Array(Type.Unknown()),
  ]),
)
const isLine = guard(Type.Array(Type.Unknown(), { minItems: 1 }))
const isChanges = guard(Changes)
const isEnded = guard(Ended)
const isOusted = guard(Ousted)
const isBlock = guard(Block)
const isSettings = guard(Settings)
const isSpent = guard(SpentLine)
const isProfiles = guard(Profiles)
const isHost = guard(Host)
const isChange = guard(Change)
const isOlderChange = guard(OlderChange)
const isTyping = guard(Type.Tuple([SIGNAL, Type.Literal('typing'), EVENTS.typing.payload]))
const isReceipt = guard(Type.Tuple([SIGNAL, Type.Literal('messages_read'), EVENTS.messages_read.payload]))
const isPresence = guard(Type.Tuple([SIGNAL, Type.Literal('user_status_change'), EVENTS.user_status_change.payload]))

/** How the packets of a node begin. */
export const prefixOf = (node: string) => `[${VERSION},${JSON.stringify(node)},`

export function toPacket(node: string, number: number, lines: string[]): string {
  return `${prefixOf(node)}${number},[${lines.join(',')}]]`
}

/** The line of what was written, with its changes where they are at hand. */
export function toChangesLine({ chatId, range, joined = [], changes = [] }: Written): string {
  const head = JSON.stringify(['changes', chatId, range && [range.after, range.through], joined])
  return `${head.slice(0, -1)},[${changes.map(toBody).join(',')}]]`
}

function toBody({ message, ...change }: LoggedChange): string {
  const rest = JSON.stringify({ ...change, chatId: undefined })
  return message ? `${rest.slice(0, -1)},"message":${textOf(message)}}` : rest
}

export const toSignalLine = ({ event, payload }: Signal): string => JSON.stringify(['signal', event, payload])
export const toBlockLine = ({ userIds }: BlockNews): string => JSON.stringify(['block', ...userIds])
export const toSettingsLine = ({ userId, chatId }: SettingsNews): string => JSON.stringify(['settings', userId, chatId])
export const toSpentLine = ({ budget, key, tokens }: Spent): string => JSON.stringify(['spent', budget, key, tokens])
export const toProfilesLine = ({ userIds, left = [] }: ProfileNews): string =>
  JSON.stringify(['profiles', userIds, left])
export const toHostLine = ({ namespace, method, rooms, except, args }: HostCall): string =>
  JSON.stringify(['host', namespace, method, rooms, except, args])
export function toEndLine({ userId, code, reconnectInMs, connectionIds }: End, ageMs: number): string {
  const line = [userId, code, ageMs, reconnectInMs ?? null]
  return JSON.stringify(connectionIds ? ['oust', ...line, connectionIds] : ['end', ...line])
}
const KNOWN = ['changes', 'end', 'oust', 'signal', 'block', 'settings', 'profiles', 'spent', 'host']
/** The line of a node that stops. */
export const LEAVING_LINE = '["leaving"]'
/** The line of a node that has just come, or come back, and asks for what may not stand in the database. */
export const RISEN_LINE = '["risen"]'

export interface Packet {
  node: string
  number: number
  /** Whether it tells nothing, and so has no number of its own. */
  isEmpty: boolean
  told: Told[]
  isLeaving: boolean
  isRisen: boolean
  /** How many lines, or bodies of lines, were not as they must be. */
  faults: number
}

/** Reads a packet; null for what is none, or of another version. What is wrong in one is left out, and counted. */
export function readPacket(text: string): Packet | null {
  const value = parse(text)
  if (!isPacket(value)) return null
  const [, node, number, lines] = value
  const packet: Packet = { node, number, isEmpty: true, told: [], isLeaving: false, isRisen: false, faults: 0 }
  for (const line of lines) readLine(packet, line)
  return packet
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readLine(packet: Packet, line: unknown): void {
  const what = isLine(line) ? line[0] : undefined
  if (what === 'leaving') packet.isLeaving = true
  else if (what === 'risen') packet.isRisen = true
  else packet.isEmpty = false
  if (isChanges(line)) readChanges(packet, line)
  else if (isEnded(line) || isOusted(line)) readEnd(packet, line)
  else if (isBlock(line)) packet.told.push({ topic: 'blocks', news: { userIds: [line[1], line[2]] } })
  else if (isSettings(line)) packet.told.push({ topic: 'settings', news: { userId: line[1], chatId: line[2] } })
  else if (isSpent(line))
    packet.told.push({ topic: 'spent', news: [{ budget: line[1], key: line[2], tokens: line[3] }] })
  else if (isProfiles(line)) packet.told.push({ topic: 'profiles', news: { userIds: line[1], left: line[2] } })
  else if (isHost(line)) readHost(packet, line)
  else if (isTyping(line)) packet.told.push({ topic: 'signals', news: { event: line[1], payload: line[2] } })
  else if (isReceipt(line)) packet.told.push({ topic: 'signals', news: { event: line[1], payload: line[2] } })
  else if (isPresence(line)) packet.told.push({ topic: 'signals', news: { event: line[1], payload: line[2] } })
  else if (typeof what !== 'string' || KNOWN.includes(what)) packet.faults += 1
}

function readHost(packet: Packet, [, namespace, method, rooms, except, args]: (typeof Host)['static']): void {
  packet.told.push({ topic: 'host', news: { namespace, method, rooms, except, args } })
}

function readEnd(packet: Packet, line: (typeof Ended)['static'] | (typeof Ousted)['static']): void {
  const [, userId, code, ageMs, reconnectInMs, connectionIds] = line
  const news = { userId, code, ageMs, ...(reconnectInMs !== null && { reconnectInMs }) }
  packet.told.push({ topic: 'ends', news: connectionIds ? { ...news, connectionIds } : news })
}

/** Changes that follow on one another in a packet are told together, as one batch that was written. */
function readChanges(packet: Packet, [, chatId, span, joined, bodies]: (typeof Changes)['static']): void {
  const range = span && { after: span[0], through: span[1] }
  if (range && range.through <= range.after) {
    packet.faults += 1
    return
  }
  const isRead = bodies.length > 0 && !bodies.every(isOlderChange)
  const changes = isRead ? readBodies(chatId, range, bodies) : undefined
  if (changes === null) packet.faults += 1
  const written: Written = { chatId, range, ...(changes && { changes }), ...(joined.length > 0 && { joined }) }
  const last = packet.told.at(-1)
  if (last?.topic === 'changes') last.news.push(written)
  else packet.told.push({ topic: 'changes', news: [written] })
}

/** The changes of a range; null where they are not all of it, and nothing else: then the log is read. */
function readBodies(chatId: string, range: Range | null, bodies: unknown[]): LoggedChange[] | null {
  if (!range || bodies.length !== range.through - range.after) return null
  const changes: LoggedChange[] = []
  for (const body of bodies) {
    if (!isChange(body) || body.revision !== range.after + 1 + changes.length) return null
    const { message, member, chat } = body
    if ([message?.chatId, member?.chatId, chat?.chatId].some((id) => id !== undefined && id !== chatId)) return null
    changes.push({ ...body, chatId })
  }
  return changes
}
