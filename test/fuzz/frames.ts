import { pick, type Random } from '../faults/random.js'
import { NO_COMMANDS, ODD_FRAMES } from '../helpers/packets.js'
import { below, type Case, randomOf, seedOf } from './cases.js'
import { EVIL, toText } from './json.js'
import { evil, type Sample, sampleCommands, spoil } from './payloads.js'

export type Frame = string | Buffer

/** What is sent in one go, and how: frames of their own, parts of one message, or bytes below WebSocket. */
export interface Step {
  frames: Frame[]
  as: 'frames' | 'fragments' | 'bytes'
}

/** What one client does on one connection, and on the next when that was its death. */
export interface Script {
  isPolling: boolean
  steps: Step[]
}

const EVENTS = 100
const POLLING_SHARE = 0.05
const RAW_SHARE = 0.08
const VALID_SHARE = 0.55
/** What empties the world is not done as often as it is drawn. */
const RARE = ['leave_chat', 'remove_member', 'create_chat', 'ban_member', 'mute_member', 'block_user', 'update_chat']
const RARE_SHARE = 0.1
const HUGE_IDS = ['4294967296', '9007199254740993', '9'.repeat(30), '0', '00', '9'.repeat(400)]

/** The script of a case. */
export function scriptOf(one: Case, messageIds: readonly string[]): Script {
  const random = randomOf(one)
  const isPolling = random() < POLLING_SHARE
  let lastId = below(random, 1_000)
  const steps: Step[] = []
  for (const sample of sampleCommands(seedOf(one), EVENTS)) {
    if (random() < RAW_SHARE) steps.push(rawStep(random))
    else {
      lastId += 1
      const frame = eventOf(random, sample, lastId, messageIds)
      const twice = random() < 0.05
      steps.push({ frames: twice ? [frame, frame] : [frame], as: random() < 0.02 ? 'fragments' : 'frames' })
    }
  }
  if (random() < 0.05) steps.push({ frames: [`42${lastId + 1}["logout",{}]`], as: 'frames' })
  return { isPolling, steps }
}

/** A command as a packet: with an ack, without one, or with something in its place. */
function eventOf(random: Random, { command, input }: Sample, id: number, messageIds: readonly string[]): string {
  const isValid = random() < (RARE.includes(command) ? RARE_SHARE : VALID_SHARE)
  const payload = isValid ? input : spoil(random, input)
  const name = random() < 0.97 ? command : pick(random, NO_COMMANDS)
  const shape = random()
  const args = [JSON.stringify(name), toText(payload, messageIds)]
  if (shape < 0.03) args.pop()
  else if (shape < 0.08) args.push('"ack"')
  else if (shape < 0.1) args.push(evil(random).json, 'null')
  const ask = random()
  const ack = ask < 0.25 ? '' : ask < 0.95 ? String(id) : pick(random, HUGE_IDS)
  return `42${ack}[${args.join(',')}]`
}

const ENGINE_TYPES = ['0', '1', '2', '3', '4', '4', '4', '4', '5', '6', '7', 'b', '', ' ', '-', '\u0000']
const SOCKET_TYPES = ['0', '1', '2', '2', '3', '4', '5', '6', '7', '9', 'x', '']
const ATTACHMENTS = ['', '', '0-', '1-', '2-', '10-', '11-', '-1-', '1e1-', '99999999999-', '-', '1.5-', 'x-']
const NAMESPACES = ['', '', '', '/,', '/other,', '/__proto__,', '/constructor,', '/x?y=1,', '/', `/${'n'.repeat(300)},`]
const ACK_IDS = ['', '', '1', '12', '-1', '1.5', '1e5', ' ', '0x10', ...HUGE_IDS, 'abc', '\u0661']
const TAILS = [
  '["list_chats",null]',
  '["typing"]',
  '[]',
  '["',
  '{}',
  '{"token":"x"}',
  '[0]',
  '[1e999,{}]',
  '"x"',
  '[null]',
]
const SPECIAL = [
  '\u0000',
  '\u001e',
  '"',
  '[',
  ']',
  '{',
  '}',
  ',',
  '-',
  '/',
  '1',
  '9',
  '\\',
  '\ud800',
  '💥',
  ' ',
  '\\u0000',
]

/** Frames of no stock client: known ones, ones from the grammar, and either cut, doubled or stirred. */
function rawStep(random: Random): Step {
  const kind = random()
  if (kind < 0.04) return { frames: [bytesOf(random)], as: 'bytes' }
  if (kind < 0.1) return { frames: [bytesOf(random)], as: 'frames' }
  if (kind < 0.3) return { frames: pick(random, ODD_FRAMES), as: 'frames' }
  const frame = frameOf(random)
  const frames: Frame[] = [kind < 0.6 ? frame : stir(random, frame)]
  // What a binary packet announces may come, or not, or be something else.
  if (/^4[56]/.test(frame)) for (let n = below(random, 3); n > 0; n -= 1) frames.push(bytesOf(random))
  return { frames, as: kind > 0.95 ? 'fragments' : 'frames' }
}

/** One frame of the grammar: type of Engine.IO, type of Socket.IO, attachments, namespace, ack id, JSON. */
export function frameOf(random: Random): string {
  const tail = random() < 0.5 ? pick(random, TAILS) : `["send_message",${pick(random, EVIL).json}]`
  return (
    [ENGINE_TYPES, SOCKET_TYPES, ATTACHMENTS, NAMESPACES, ACK_IDS].map((parts) => pick(random, parts)).join('') + tail
  )
}

function bytesOf(random: Random): Buffer {
  return Buffer.from(Array.from({ length: below(random, 40) }, () => below(random, 256)))
}

/** A text with one thing changed in it. */
export function stir(random: Random, text: string): string {
  const at = below(random, text.length + 1)
  const to = at + below(random, 8)
  const kind = random()
  if (kind < 0.3) return text.slice(0, at) + text.slice(to)
  if (kind < 0.5) return text.slice(0, at)
  if (kind < 0.6) return text.slice(0, to) + text.slice(at)
  return text.slice(0, at) + pick(random, SPECIAL) + text.slice(kind < 0.8 ? at : to)
}
