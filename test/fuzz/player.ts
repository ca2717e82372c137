import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../faults/server.js'
import { codeOfAck, count, type Tally } from './answers.js'
import type { Script, Step } from './frames.js'
import { createOracle } from './oracle.js'
import { openPolling, openWebsocket, type Wire } from './wires.js'

export interface PlayerOptions {
  url: string
  userId: string
  tally: Tally
  fail(law: string, what: string): void
}

/** Closings that the server may have a reason for. */
const ALLOWED = ['LOGGED_OUT', 'SLOW_CONSUMER', 'TOO_MANY_SOCKETS', 'ABUSE', 'OVERLOADED', 'RATE_LIMITED']
const MOST_UNDER_WAY = 24
const ACK_MS = 30_000
const OPEN_TRIES = 60
const TOLD_CHARS = 300

const told = (text: string) => (text.length > TOLD_CHARS ? `${text.slice(0, TOLD_CHARS)}… (${text.length})` : text)
const wordsOf = ({ frames, as }: Step) =>
  told(
    `${as === 'frames' ? '' : `${as} `}${frames.map((frame) => (typeof frame === 'string' ? frame : `<${frame.toString('hex')}>`)).join(' | ')}`,
  )

/** One connection, and what it still waits for. */
interface Line {
  wire: Wire
  oracle: ReturnType<typeof createOracle>
  /** Ack id → what asked for it, as often as it asked. */
  open: Map<string, string[]>
  /** Ids of packets of which nobody knows whether they were heard. */
  maybe: Set<string>
  closing: string | null
  /** Whether something was sent that a server may close for. */
  isDoomed: boolean
  changed(): void
}

/** Plays scripts: sends each step, and sees that every event that asks for an ack gets one, and only one. */
export function createPlayer({ url, userId, tally, fail }: PlayerOptions) {
  async function open(isPolling: boolean): Promise<Line> {
    for (let attempt = 1; attempt <= OPEN_TRIES; attempt += 1) {
      const wire = await (isPolling ? openPolling(url) : openWebsocket(url))
      const line: Line = {
        wire,
        oracle: createOracle(isPolling),
        open: new Map(),
        maybe: new Set(),
        closing: null,
        isDoomed: false,
        changed() {},
      }
      const isIn = await new Promise<boolean>((resolve) => {
        void wire.closed.then(() => resolve(false))
        wire.onFrame = (frame) => {
          if (frame.startsWith('40{')) resolve(true)
        }
        wire.send({ frames: [`40${JSON.stringify({ token: tokenOf(userId) })}`], as: 'frames' })
      })
      if (isIn) {
        wire.onFrame = (frame) => hear(line, frame)
        void wire.closed.then(() => line.changed())
        return line
      }
      wire.close()
      await sleep(attempt * 20)
    }
    throw new Error(`${userId} was not let in, ${OPEN_TRIES} times`)
  }

  function hear(line: Line, frame: string): void {
    if (frame.startsWith('43')) hearAck(line, frame)
    else if (frame.startsWith('42["closing"')) {
      line.closing = /"code":"(\w+)"/.exec(frame)?.[1] ?? 'closing'
      count(tally, `closing ${line.closing}`)
    }
  }

  function hearAck(line: Line, frame: string): void {
    const at = frame.indexOf('[')
    const id = frame.slice(2, at)
    const asked = line.open.get(id)
    const code = codeOfAck(frame.slice(at))
    if (code === null) fail('an ack is of the contract', told(frame))
    else count(tally, code)
    if (code === 'INTERNAL') fail('no answer is INTERNAL', asked?.[0] ?? frame)
    if (!asked && !line.maybe.has(id)) fail('one ack for one event', `unasked: ${told(frame)}`)
    asked?.shift()
    if (asked?.length === 0) line.open.delete(id)
    line.changed()
  }

  /** Waits until no more than so many acks are still to come, or the connection is gone. */
  async function until(line: Line, most: number): Promise<void> {
    const size = () => [...line.open.values()].reduce((sum, { length }) => sum + length, 0)
    for (const end = Date.now() + ACK_MS; size() > most && !line.wire.isClosed(); ) {
      if (Date.now() > end) {
        for (const [what] of line.open.values()) fail('every event that asks gets its ack', `none came of ${what}`)
        line.open.clear()
        return
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000)
        line.changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  function expect(line: Line, ids: string[], what: string): void {
    for (const id of ids) line.open.set(id, [...(line.open.get(id) ?? []), what])
  }

  /** Goes where a server cannot be asked any more: it has left by itself, or its bytes may be the middle of a frame. */
  function leave(line: Line): Promise<void> {
    line.isDoomed = true
    line.wire.close()
    return line.wire.closed
  }

  /** After what is no clean event: the connection answers the next one, or is closed. */
  async function probe(line: Line, step: Step): Promise<void> {
    line.isDoomed = true
    expect(line, ['777777777'], `an event after ${wordsOf(step)}`)
    line.wire.send({ frames: ['42777777777["",null]'], as: 'frames' })
    await until(line, 0)
  }

  function judgeEnd(line: Line): void {
    if (line.isDoomed || (line.closing !== null && ALLOWED.includes(line.closing))) return
    fail(
      'a connection that does no wrong stays',
      `closed: ${line.closing ?? 'without a word'}, after ${[...line.open.values()].flat()[0]}`,
    )
  }

  /** Plays one script to its end. */
  return async function play({ isPolling, steps }: Script): Promise<void> {
    let line = await open(isPolling)
    for (const step of steps) {
      const { acks, isClean, isFarewell } = line.oracle.read(step.frames)
      tally.calls += 1
      await until(line, isClean ? MOST_UNDER_WAY : 0)
      if (!line.wire.isClosed()) {
        if (isClean) expect(line, acks, wordsOf(step))
        else for (const id of acks) line.maybe.add(id)
        line.wire.send(step)
        if (isFarewell || step.as === 'bytes') await leave(line)
        else if (!isClean) await probe(line, step)
      }
      if (!line.wire.isClosed()) continue
      judgeEnd(line)
      line = await open(isPolling)
    }
    await until(line, 0)
    if (line.wire.isClosed()) judgeEnd(line)
    line.wire.close()
  }
}
