import { COMMAND_NAMES } from '../../contract/commands.js'
import { goodPayload } from '../helpers/packets.js'
import type { Plan } from './flood-client.js'
import { tokenOf } from './server.js'

/** An attack by its name, on a chat that its users are in. */
export interface Attack {
  name: string
  plan: Omit<Plan, 'url'>
}

export interface Field {
  chatId: string
  messageId: string
  /** Users of the chat who have attacked nobody yet; each is taken once. */
  nextUser(): string
}

/** Frames a second that one process can send here without being what is measured. */
const LINE_RATE = 20_000
const JUNK = ['3', '6', '43[]', '40/x#,', '42["nothing#",{}]', '421["nothing",{}]', `42["x"${',0'.repeat(30)}]`, '42[]']
/** Of commands that end the socket at once. */
const ENDS = ['logout', 'refresh_token']
const SLOW_PAGES = 6

const frame = (event: string, payload: string) => `42#["${event}",${payload}]`

/** Every attack; for `isQuick` the ones that say most. */
export function attacksOn({ chatId, messageId, nextUser }: Field, isQuick: boolean): Attack[] {
  const tokens = (count: number) => Array.from({ length: count }, () => tokenOf(nextUser()))
  const pour = (name: string, frames: string[], senders: (string | null)[], rate = LINE_RATE): Attack => ({
    name,
    plan: { kind: 'pour', tokens: senders, frames, rate },
  })
  const many = isQuick ? 500 : 2_000
  const quickOnes = ['send_message', 'get_messages', 'search_messages', 'sync', 'typing']
  const commands = COMMAND_NAMES.filter((name) => !ENDS.includes(name) && (!isQuick || quickOnes.includes(name)))
  const sends = [frame('send_message', goodPayload('send_message', chatId, messageId))]
  const page = frame('get_messages', JSON.stringify({ chatId, limit: 200 }))
  const nobody = (count: number): null[] => Array.from({ length: count }, () => null)

  return [
    ...commands.map((name) => pour(name, [frame(name, goodPayload(name, chatId, messageId))], tokens(1))),
    pour('payloads that no command takes', [frame('send_message', '{"x":#}')], tokens(1)),
    ...(isQuick ? [] : JUNK.map((junk) => pour(`junk ${junk.slice(0, 24)}`, [junk], tokens(1)))),
    pour('junk of all kinds', JUNK, tokens(20)),
    pour('namespaces that are not there', ['40/x#,'], nobody(20)),
    pour('50 flooders', [...sends, page, frame('typing', goodPayload('typing', chatId, messageId))], tokens(50)),
    { name: 'handshakes of one address', plan: { kind: 'handshakes', tokens: [], frames: [], rate: 0 } },
    {
      name: `${many} idle sockets that join nothing`,
      plan: { kind: 'idle', tokens: nobody(many), frames: [], rate: 0 },
    },
    { name: `${many} silent TCP connections`, plan: { kind: 'silent', tokens: nobody(many), frames: [], rate: 0 } },
    {
      name: `${many / 4} slow readers`,
      plan: { kind: 'slow', tokens: tokens(many / 4), frames: Array.from({ length: SLOW_PAGES }, () => page), rate: 0 },
    },
  ]
}

/** How many users `attacksOn` takes. */
export const USERS = 700
