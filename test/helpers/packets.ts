import { COMMANDS, type CommandName } from '../../contract/commands.js'

const DEPTH = 20_000
const UUID = '"0198c0de-0000-7000-8000-000000000000"'
const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH)

/** A good value for each field that commands have, as JSON; what has none is left out of the packets. */
const SAMPLES: Record<string, string> = {
  afterSeq: '1',
  aroundSeq: '1',
  beforeSeq: '1',
  chats: '{}',
  clientMessageId: '"k1"',
  content: '"never stored"',
  emoji: '"👍"',
  historyVisibility: '"all"',
  isTyping: 'true',
  limit: '1',
  memberIds: '["bob"]',
  messageId: UUID,
  messageIds: `[${UUID}]`,
  metadata: '{}',
  query: '"hello"',
  replyToId: UUID,
  role: '"member"',
  status: '"away"',
  title: '"never stored"',
  token: '"x"',
  type: '"group"',
  upToSeq: '1',
  userId: '"bob"',
  userIds: '["bob"]',
}

/** Payloads that no command takes, as they go over the wire. */
const NEVER: Record<string, string> = {
  'a null': 'null',
  'a text': '"x"',
  'a number': '1e999',
  'an array': '[{}]',
  'a deep array': deep,
  'a placeholder without binary data': '{"_placeholder":true,"num":0}',
  'an unknown field': '{"senderId":"bob","seq":1}',
}

/** Keys that pollute where objects are merged: JSON.parse makes own keys of them. */
const POLLUTING: Record<string, string> = {
  'an own __proto__': '"__proto__":{"polluted":true}',
  'an own constructor': '"constructor":{"prototype":{"polluted":true}}',
}

/** Values that no field takes. */
const EVIL: Record<string, string> = {
  'a number that is none': '1e999',
  'a lone surrogate': '"\\ud800"',
  'a NUL': '"a\\u0000b"',
  'a lone surrogate in an array': '["\\udc00"]',
  'a NUL in an array': '["\\u0000"]',
  'an object of its own': '{"__proto__":{"polluted":true},"toString":1,"a":"\\u0000"}',
  'an object that names binary data': '{"_placeholder":true,"num":0,"b":"\\ud800"}',
  'a deep array': deep,
  'a deep object': `{"a":${deep}}`,
}
const BLANK = '" \\t\\n\\u3000"'
const SAID = ['content', 'emoji', 'query', 'title']

const object = (fields: string[]) => `{${fields.join(',')}}`

/** The fields that a command must have, but one. */
function fieldsOf(command: CommandName, chatId: string, left?: string): string[] {
  const { properties, required = [] } = COMMANDS[command].input
  return Object.keys(properties).flatMap((field) => {
    const sample = field === 'chatId' ? JSON.stringify(chatId) : SAMPLES[field]
    const isWanted = (required as string[]).includes(field) || field === 'chatId' || field === 'upToSeq'
    return field !== left && isWanted && sample ? [`"${field}":${sample}`] : []
  })
}

/** A payload that a command takes, as JSON, of a chat and a message. */
export function goodPayload(command: CommandName, chatId: string, messageId: string): string {
  const fields = fieldsOf(command, chatId).map((field) => field.replace(UUID, JSON.stringify(messageId)))
  return object(fields)
}

/** Every payload that a command must refuse, with what it is. */
export function* badPayloads(command: CommandName, chatId: string): Iterable<[what: string, json: string]> {
  yield* Object.entries(NEVER)
  const { properties } = COMMANDS[command].input
  const fieldsBut = (left?: string) => fieldsOf(command, chatId, left)
  for (const [what, json] of Object.entries(POLLUTING)) yield [what, object([...fieldsBut(), json])]
  for (const field of Object.keys(properties)) {
    for (const [what, json] of Object.entries(EVIL)) {
      yield [`${field}: ${what}`, object([...fieldsBut(field), `"${field}":${json}`])]
    }
    if (SAID.includes(field)) {
      yield [`${field}: white space`, object([...fieldsBut(field), `"${field}":${BLANK}`])]
    }
  }
}

/** Names of events that are no commands: what JavaScript objects, Node's emitters and Socket.IO itself know among them. */
export const NO_COMMANDS = [
  ...['error', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', '', ' ', '\u0000'],
  ...['session', 'new_message', 'join', 'chat_1', 'SEND_MESSAGE', 'send_message ', 'x'.repeat(100_000)],
]

/** Names that Socket.IO's parser refuses. */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']
const bytes = Buffer.from([1, 2, 3])

/** Frames that no stock client sends, after which a connection is dead or as good as before. */
export const ODD_FRAMES: (string | Buffer)[][] = [
  ...RESERVED.map((name) => [`421["${name}",{}]`]),
  // Engine.IO: nothing, unknown packets, the server's own, binary out of turn.
  ...['', '1', '2probe', '3', '5', '6', '7', '9', 'b', 'bAAAA', '\u0000', '💥'].map((frame) => [frame]),
  [bytes],
  [Buffer.alloc(0)],
  // Packets without data, with data of another kind, cut off, too deep.
  ...['4', '42', '421', '43', '44', '45', '46', '47', '48', '49', '4x', '42[]', '421[]', '42{}', '42null'],
  ...['42"x"', '42[', '42[null]', '42[{}]', '42[[]]', '42[0]', '42[1e999]', '42[true]', '42["a"', '42["a"]]'],
  ...[`42${deep}`, `42["send_message",${deep.slice(1)}]`, `42["send_message",${'['.repeat(100_000)}`],
  // Ack ids: none, twice, not numbers, no numbers of JavaScript's.
  ...['42 ["list_chats",null]', '42-1["list_chats",null]', '421.5["list_chats",null]', '421e5["list_chats",null]'],
  `42${'9'.repeat(400)}["list_chats",null]`,
  // Acks that nobody asked for.
  ...['43999[{}]', '430[]', '43[]', '431e9[]', '43__proto__[]', '431{}', '461-5[{"_placeholder":true,"num":0}]'],
  // Joining again, with data of another kind, elsewhere.
  ...['40', '40{}', '40[]', '40null', '40"x"', '40/other,', '40/__proto__,', '40/other,{"token":"x"}', '40/'],
  ...['41/other,', '42/other,["send_message",null]', '41{}', '44{"message":"x"}', '44"x"', '44/other,"x"'],
  // Binary events: attachments that are missing, too many, not numbers, elsewhere.
  ...['450-["a"]', '45-1-["a"]', '451', '451-', '45["a"]', '45x-["a"]', '451.5-["a"]', '4599999999-["a"]'],
  '451-["send_message",{"_placeholder":true,"num":0}]',
].map((frame) => (Array.isArray(frame) ? frame : [frame]))
ODD_FRAMES.push(
  ['421["list_chats",null]', '421["list_chats",null]'],
  ['451-["send_message",{"_placeholder":true,"num":5}]', bytes],
  ['451-["send_message",{"_placeholder":true,"num":-1}]', bytes],
  ['451-["send_message",{"_placeholder":true,"num":"__proto__"}]', bytes],
  [`451-["send_message",${deep}]`, bytes],
  ['451-1["send_message"]', bytes],
  ['451-1["send_message",{"_placeholder":true,"num":0}]', bytes, bytes],
  ['452-1["send_message",{"a":{"_placeholder":true,"num":0}}]', bytes],
  ['461-7[{"_placeholder":true,"num":0}]', bytes],
)
