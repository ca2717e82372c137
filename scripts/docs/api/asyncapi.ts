import type { TSchema } from '@sinclair/typebox'
import { CLOSINGS } from '../../../contract/closings.js'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName } from '../../../contract/commands.js'
import { ERRORS, ErrorBody, type ErrorCode } from '../../../contract/errors.js'
import { EVENT_NAMES, EVENTS, type EventName } from '../../../contract/events.js'
import { TAGS } from '../../../contract/who.js'
import { keysOf } from '../../../contract/words.js'
import { COMMAND_EXAMPLES } from '../examples/commands.js'
import { EVENT_EXAMPLES } from '../examples/events.js'
import { failureExample, failuresOfCommand } from './failures.js'
import { createSchemas, humanized, type Json, pascal, type Schemas } from './schemas.js'
import { SOCKET_INFO, socketWords } from './texts.js'

const CHANNEL = '#/channels/socket'
const ackOf = (name: CommandName) => `${name}_ack`
const told = (name: EventName) => `on_${name}`
/** Commands and events share some names, such as `typing`; a message of the document has one of its own. */
const messageOf = (name: EventName) => (name in COMMANDS ? told(name) : name)

/** What a socket sends and hears as AsyncAPI 3: a function of the contract's tables. */
export function asyncApi(version: string): Json {
  const schemas = createSchemas()
  const messages = Object.fromEntries([
    ...COMMAND_NAMES.flatMap((name) => [
      [name, commandMessage(schemas, name)],
      [ackOf(name), ackMessage(schemas, name)],
    ]),
    ...EVENT_NAMES.map((name) => [messageOf(name), eventMessage(schemas, name)]),
  ])
  return {
    asyncapi: '3.0.0',
    id: 'urn:chat-socket-service',
    info: { ...SOCKET_INFO, version, tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })) },
    defaultContentType: 'application/json',
    servers: {
      service: {
        host: '{host}',
        pathname: '/socket.io/',
        protocol: 'ws',
        protocolVersion: 'Socket.IO 5, Engine.IO 4',
        description:
          'A node of the service, for a client of Socket.IO 4; over `wss` behind TLS, and by long polling where WebSocket is blocked.',
        variables: { host: { default: 'localhost:3002', description: 'Host and port of the service.' } },
        security: [{ $ref: '#/components/securitySchemes/userToken' }],
      },
    },
    channels: {
      socket: {
        address: '/',
        title: 'The main namespace',
        description:
          'The one namespace of Socket.IO. An event has one argument, its payload; a command may have an acknowledgement. Which chats a socket hears is decided by who is a member, never by the client.',
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations: Object.fromEntries([
      ...COMMAND_NAMES.map((name) => [name, commandOperation(name)]),
      ...EVENT_NAMES.map((name) => [told(name), eventOperation(name)]),
    ]),
    components: {
      messages,
      schemas: schemas.components(),
      securitySchemes: {
        userToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A token of a user in `auth.token` of the handshake: `io(url, { auth: { token } })`. Services have no sockets.',
        },
      },
    },
    'x-errors': ERRORS,
    'x-closings': CLOSINGS,
  }
}

/** What a socket's command may be answered: whose socket it is was settled by the handshake, and asked again by a new token alone. */
function failuresOf(name: CommandName): ErrorCode[] {
  const codes = failuresOfCommand(COMMANDS[name], true)
  return name === 'refresh_token'
    ? codes
    : codes.filter((code) => ERRORS[code].status !== ERRORS.UNAUTHENTICATED.status)
}

function commandMessage(schemas: Schemas, name: CommandName): Json {
  const { input, tag, summary }: Command = COMMANDS[name]
  return {
    name,
    title: humanized(name),
    summary,
    tags: [{ name: tag }],
    payload: schemas.named(`${pascal(name)}Input`, input),
    examples: [{ name: 'command', payload: COMMAND_EXAMPLES[name].input }],
  }
}

/** What Socket.IO's acknowledgement of a command holds. */
function ackMessage(schemas: Schemas, name: CommandName): Json {
  const command: Command = COMMANDS[name]
  const answer = schemas.named(`${pascal(name)}Answer`, command.output)
  return {
    name: ackOf(name),
    title: `${humanized(name)}: the acknowledgement`,
    summary: `How \`${name}\` went: the first argument of its acknowledgement.`,
    tags: [{ name: command.tag }],
    payload: schemas.define(`${pascal(name)}Ack`, {
      oneOf: [
        {
          type: 'object',
          required: ['ok', 'data'],
          properties: { ok: { type: 'boolean', const: true }, data: answer },
        },
        refusal(schemas),
      ],
    }),
    examples: [
      { name: 'success', payload: { ok: true, data: COMMAND_EXAMPLES[name].output } },
      { name: 'refusal', payload: { ok: false, error: failureExample('OVERLOADED') } },
    ],
  }
}

/** What every acknowledgement holds that tells of a failure. */
const refusal = (schemas: Schemas): Json =>
  schemas.define('Refusal', {
    description: 'Why a command was refused, by a code of the catalogue.',
    type: 'object',
    required: ['ok', 'error'],
    properties: { ok: { type: 'boolean', const: false }, error: schemas.named('ErrorBody', ErrorBody as never) },
  })

function eventMessage(schemas: Schemas, name: EventName): Json {
  const { payload, summary }: { payload: TSchema; summary: string } = EVENTS[name]
  return {
    name,
    title: humanized(name),
    summary,
    payload: schemas.named(pascal(name), payload as unknown as Json),
    examples: [{ name: 'event', payload: EVENT_EXAMPLES[name] }],
  }
}

function commandOperation(name: CommandName): Json {
  const command: Command = COMMANDS[name]
  const { tag, summary } = command
  const codes = failuresOf(name)
    .map((code) => `\`${code}\``)
    .join(', ')
  return {
    action: 'receive',
    channel: { $ref: CHANNEL },
    title: humanized(name),
    summary,
    description: `${socketWords(command)}\n\nIts acknowledgement may tell of ${codes}.`,
    tags: [{ name: tag }],
    messages: [{ $ref: `${CHANNEL}/messages/${name}` }],
    reply: { channel: { $ref: CHANNEL }, messages: [{ $ref: `${CHANNEL}/messages/${ackOf(name)}` }] },
  }
}

function eventOperation(name: EventName): Json {
  const { summary } = EVENTS[name]
  const closings = keysOf(CLOSINGS).map((code) => `- \`${code}\`: ${CLOSINGS[code].message}`)
  return {
    action: 'send',
    channel: { $ref: CHANNEL },
    title: humanized(name),
    summary,
    ...(name === 'closing' && { description: `${summary}\n\n${closings.join('\n')}` }),
    messages: [{ $ref: `${CHANNEL}/messages/${messageOf(name)}` }],
  }
}
