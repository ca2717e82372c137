import { TYPING_MS } from '../../contract/limits.js'
import type { News, Range, Topic, Written } from './news.js'
import {
  LEAVING_LINE,
  RISEN_LINE,
  toBlockLine,
  toChangesLine,
  toEndLine,
  toHostLine,
  toPacket,
  toProfilesLine,
  toSettingsLine,
  toSignalLine,
  toSpentLine,
} from './wire.js'

export interface OutboxOptions {
  node: string
  /** How large a packet may be, in bytes. */
  maxBytes: number
  maxItems?: number
  maxQueuedBytes?: number
  now?: () => number
}

interface Item {
  /** The line; of what has an age, as it is when it leaves. */
  line(): string
  bytes: number
  /** Of changes: what is left of them when there is no room for more. */
  hint?: Written
  /** When it is of no more use. */
  untilMs?: number
  /** Whether it stands nowhere else, and is said again to who was away. */
  isEnd?: true
}

const MAX_ITEMS = 20_000
const MAX_QUEUED_BYTES = 4 * 1_048_576
/** How long ends are said again to who comes back, and how many. */
const SAID_AGAIN_MS = 15_000
const MAX_SAID = 1_000
/** After this long a bucket has what was taken from it again, or nearly. */
const SPENT_MS = 2_000
/** What a packet needs beside its lines. */
const FRAME_BYTES = 128

/**
 * What waits to travel, within bounds: where there is too much, changes become hints, one a chat; where those are too many, too, they are
 * dropped. What is dropped takes a number, by which other nodes know that they miss something.
 */
export function createOutbox(options: OutboxOptions) {
  const {
    node,
    maxBytes,
    maxItems = MAX_ITEMS,
    maxQueuedBytes = MAX_QUEUED_BYTES,
    now = () => performance.now(),
  } = options
  const maxLine = maxBytes - FRAME_BYTES
  let items: Item[] = []
  let first = 0
  let bytes = 0
  let number = 0
  let hasLost = false
  /** Ends that were sent, and when. */
  let said: { item: Item; atMs: number }[] = []

  const size = () => items.length - first

  function push(item: Item): void {
    items.push(item)
    bytes += item.bytes
  }

  function pushLine(text: string, rest: Partial<Item> = {}): void {
    push({ line: () => text, bytes: Buffer.byteLength(text) + 1, ...rest })
  }

  function pushChanges(written: Written, hasBodies: boolean): void {
    const { chatId, range, joined = [] } = written
    const hint: Written = { chatId, range, ...(joined.length > 0 && { joined }) }
    const text = toChangesLine(hasBodies ? written : hint)
    if (Buffer.byteLength(text) <= maxLine) pushLine(text, { hint })
    else if (hasBodies && written.changes) for (const part of halve(written, hint)) pushChanges(part, part !== hint)
    else {
      // Many ids: a line each half.
      const half = Math.ceil(joined.length / 2)
      for (const part of [joined.slice(0, half), joined.slice(half)]) pushChanges({ ...hint, joined: part }, false)
    }
  }

  const add: { [T in Topic]: (news: News[T], hasBodies: boolean) => void } = {
    changes(news, hasBodies) {
      for (const written of news) pushChanges(written, hasBodies)
    },
    signals: (news) => pushLine(toSignalLine(news), news.event === 'typing' ? { untilMs: now() + TYPING_MS } : {}),
    blocks: (news) => pushLine(toBlockLine(news)),
    settings: (news) => pushLine(toSettingsLine(news)),
    // Their maker bounds them: profiles.ts.
    profiles: (news) => pushLine(toProfilesLine(news)),
    spent(news) {
      for (const spent of news) pushLine(toSpentLine(spent), { untilMs: now() + SPENT_MS })
    },
    // Its maker bounds it: plugins/socket/adapter.ts.
    host: (news) => pushLine(toHostLine(news)),
    ends(news) {
      const atMs = now() - (news.ageMs ?? 0)
      const line = () => toEndLine(news, Math.round(now() - atMs))
      push({ line, bytes: Buffer.byteLength(line()) + 8, isEnd: true })
    },
  }

  /** Makes room: of changes the hints stay, one a chat; of too many of those, and of signals, nothing. */
  function shrink(): void {
    const hints = new Map<string, Written>()
    const others: Item[] = []
    for (const { hint, ...item } of items.slice(first)) {
      if (hint) hints.set(hint.chatId, merge(hints.get(hint.chatId), hint))
      else if (item.untilMs === undefined) others.push(item)
    }
    clear()
    if (others.length <= maxItems / 4) others.forEach(push)
    else hasLost = true
    if (hints.size <= maxItems / 4) for (const hint of hints.values()) pushChanges(hint, false)
    else hasLost = true
    // Ids of users who joined are all that can be too large now.
    if (bytes <= maxQueuedBytes / 2) return
    clear()
    hasLost = true
  }

  function clear(): void {
    items = []
    first = 0
    bytes = 0
  }

  /** The number of the last packet, behind what was lost before. */
  function settled(): number {
    if (hasLost) number += 1
    hasLost = false
    return number
  }

  return {
    size,
    bytes: () => bytes,

    /** Has news wait; `hasBodies` says whether changes go along with their range. */
    add<T extends Topic>(topic: T, news: News[T], hasBodies: boolean): void {
      add[topic](news, hasBodies)
      if (size() > maxItems || bytes > maxQueuedBytes) shrink()
    },

    /** Something will not travel. */
    lose(): void {
      hasLost = true
    },

    /** Takes what fits into a packet, with its number; undefined where nothing waits. */
    take(): Outgoing | undefined {
      const taken: Item[] = []
      let left = maxLine
      for (let item = items[first]; item && (item.bytes <= left || taken.length === 0); item = items[first]) {
        first += 1
        bytes -= item.bytes
        if (item.untilMs !== undefined && item.untilMs < now()) continue
        left -= item.bytes
        taken.push(item)
        if (item.isEnd) said.push({ item, atMs: now() })
      }
      if (size() === 0) clear()
      else if (first > 1_000) {
        items = items.slice(first)
        first = 0
      }
      if (taken.length === 0) return undefined
      const own = settled() + 1
      number = own
      const linesOf = () => taken.map(({ line }) => line())
      return { text: () => toPacket(node, own, linesOf()), tries: 0 }
    },

    /** Says again what ended a moment ago: who has been away may have missed it. */
    repeatEnds(): void {
      const recent = said.filter(({ atMs }) => now() - atMs < SAID_AGAIN_MS).slice(-MAX_SAID)
      said = []
      for (const { item } of recent) push(item)
    },

    /** A packet that says no more than where this node stands; `isFirst` on a link, so that the others know it is there again. */
    beat(isFirst: boolean): Outgoing {
      said = said.filter(({ atMs }) => now() - atMs < SAID_AGAIN_MS).slice(-MAX_SAID)
      return { text: () => toPacket(node, settled(), isFirst ? [RISEN_LINE] : []), tries: 0 }
    },

    /** The last packet of all. */
    leave: (): Outgoing => ({ text: () => toPacket(node, settled(), [LEAVING_LINE]), tries: 0 }),
  }
}

/** Changes that are too large together as two lines; one that is too large by itself as its range. */
function halve({ chatId, range, changes = [] }: Written, hint: Written): Written[] {
  if (!range || changes.length < 2 || hint.joined) return [hint]
  const middle = range.after + Math.ceil(changes.length / 2)
  return [
    { chatId, range: { after: range.after, through: middle }, changes: changes.slice(0, middle - range.after) },
    { chatId, range: { after: middle, through: range.through }, changes: changes.slice(middle - range.after) },
  ]
}

/** A packet on its way; its text may be asked for again, when it has to be sent again. */
export interface Outgoing {
  text(): string
  tries: number
}

function merge(before: Written | undefined, { chatId, range, joined = [] }: Written): Written {
  if (!before) return { chatId, range, ...(joined.length > 0 && { joined }) }
  const all = [...new Set([...(before.joined ?? []), ...joined])]
  return { chatId, range: join(before.range, range), ...(all.length > 0 && { joined: all }) }
}

function join(a: Range | null, b: Range | null): Range | null {
  return a && b && { after: Math.min(a.after, b.after), through: Math.max(a.through, b.through) }
}
