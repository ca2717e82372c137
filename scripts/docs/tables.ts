import type { TSchema } from '@sinclair/typebox'
import { CLOSINGS, Closing } from '../../contract/closings.js'
import { COMMAND_NAMES, COMMANDS, type Command } from '../../contract/commands.js'
import { ERRORS } from '../../contract/errors.js'
import { EVENTS } from '../../contract/events.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import * as shapes from '../../contract/shapes.js'
import { COMMAND_WHO, ROUTE_WHO } from '../../contract/who.js'
import { Settings } from '../../plugins/config/settings.js'
import { toBody, toFields, toInterface, toType } from './types.js'

const code = (text: string) => `\`${text}\``
const fence = (text: string) => `\`\`\`ts\n${text}\n\`\`\``
const restOf = ({ rest }: Command) => (rest ? code(`${rest.method} ${rest.url}`) : '–')

/** A table in Markdown. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** What clients send, in one line each. */
export function commandsTable(): string {
  const rows = COMMAND_NAMES.map((name) => {
    const command: Command = COMMANDS[name]
    return [code(name), toFields(command.input), toFields(command.output) || '–', restOf(command)]
  })
  return table(['event', 'payload', 'answer', 'REST twin'], rows)
}

/** What clients send, each with its limits and who may. */
export function commandsReference(): string {
  const sections = COMMAND_NAMES.map((name) => {
    const command: Command = COMMANDS[name]
    const who = `For ${COMMAND_WHO[command.who]}${command.service ? ', and services' : ''}.`
    const made = command.made ? ' (201 when something was made)' : ''
    const rest = command.rest ? `REST: ${restOf(command)}${made}.` : 'Over a socket only.'
    const text = `payload ${toBody(command.input)}\n\nanswer ${toBody(command.output)}`
    return `### ${code(name)}\n\n${command.summary} ${who} ${rest}\n\n${fence(text)}`
  })
  return sections.join('\n\n')
}

/** What the server sends. */
export function eventsTable(): string {
  const rows = Object.entries(EVENTS).map(([name, { summary, payload }]) => [
    code(name),
    code(toType(payload)),
    summary,
  ])
  return table(['event', 'payload', 'when'], rows)
}

/** The routes that are no twins of a command. */
export function routesTable(): string {
  const rows = RESOURCE_NAMES.map((name) => {
    const { method, url, summary, who, openedBy }: Resource = RESOURCES[name]
    return [code(`${method} ${url}`), summary, ROUTE_WHO[who] + (openedBy ? `, or everybody by ${openedBy}` : '')]
  })
  return table(['route', 'what', 'for'], rows)
}

/** The error catalogue. */
export function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([name, { status, retryable, message }]) => [
    code(name),
    String(status),
    retryable ? 'yes' : 'no',
    message,
  ])
  return table(['code', 'HTTP', 'try again?', 'what it says'], rows)
}

/** The catalogue of closings. */
export function closingsTable(): string {
  const rows = Object.entries(CLOSINGS).map(([name, { retryable, message }]) => [
    code(name),
    retryable ? 'yes' : 'no',
    message,
  ])
  return table(['code', 'come back?', 'what it says'], rows)
}

/** The shapes that travel. */
export function shapesReference(): string {
  const titled = Object.values(shapes as Record<string, TSchema>).filter(({ title }) => title !== undefined)
  return fence([...titled, EVENTS.session.payload, Closing].map(toInterface).join('\n\n'))
}

/** The settings. */
export function settingsTable(): string {
  const rows = Object.entries(Settings.properties).map(([name, schema]) => [
    code(name),
    schema.default === undefined ? '–' : code(String(schema.default)),
    [schema.description, listed(schema)].filter(Boolean).join('; '),
  ])
  return table(['setting', 'default', 'what'], rows)
}

/** A file that names every setting, and changes none. */
export function envExample(): string {
  const entries = Object.entries(Settings.properties).map(([name, schema]) => {
    const text = [schema.description, listed(schema).replaceAll('`', '')].filter(Boolean).join('; ')
    return `# ${text}\n# ${name}=${schema.default ?? ''}\n`
  })
  return `# Settings of chat-socket-service: copy this to .env and take away the # of what you set.\n\n${entries.join('\n')}`
}

const listed = ({ enum: values }: TSchema) => (values ? `one of ${(values as string[]).map(code).join(', ')}` : '')
