import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../services/package-root.js'
import type { Command, Option } from './command.js'
import { PROGRAM } from './parse.js'

/** What the exit codes say. */
export const EXIT_CODES = ['0: fine', '1: it failed, or something is wrong', '2: it was called wrongly']

const WIDTH = 100
const readPackage = (): { version: string } => JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))

/** The version of the package. */
export const version = (): string => readPackage().version

/** What can be asked of the program. */
export function overview(commands: Record<string, Command>): string {
  return [
    `chat-socket-service ${version()}: a realtime chat and presence server`,
    '',
    `Usage: ${PROGRAM} [command] [options]`,
    '',
    'Commands:',
    ...columns(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '',
    'Options:',
    ...columns([
      ['-h, --help', 'this page, or, behind a command, what that does; nothing is started'],
      ['-v, --version', 'the version'],
    ]),
    '',
    `Exit codes: ${EXIT_CODES.join(', ')}.`,
    'Settings come from the environment and from the file .env of this folder.',
    '',
  ].join('\n')
}

/** How a command is called, and what it does. */
export function helpOf(name: string, { summary, about, operands = [], options, examples }: Command): string {
  const section = (title: string, rows: [string, string][]) =>
    rows.length > 0 ? ['', `${title}:`, ...columns(rows)] : []
  return [
    `${PROGRAM} ${name}: ${summary}`,
    '',
    `Usage: ${usageOf(name, { operands, options })}`,
    '',
    ...wrap(about, WIDTH),
    ...section(
      'Operands',
      operands.map((operand) => [operand.name, operand.summary]),
    ),
    ...section('Options', [
      ...Object.entries(options).map(([option, row]): [string, string] => [spelled(option, row), summaryOf(row)]),
      ['-h, --help', 'this page'],
    ]),
    '',
    'Examples:',
    ...examples.map((example) => `  ${exampleOf(example)}`),
    '',
  ].join('\n')
}

/** A command with all that it takes, in a line. */
export function usageOf(name: string, { operands = [], options }: Pick<Command, 'operands' | 'options'>): string {
  const takes = Object.entries(options).map(([option, row]) => `[${spelled(option, row)}]`)
  return [PROGRAM, name, ...operands.map((operand) => `[${operand.name}]`), ...takes].join(' ')
}

/** An example whole: one that begins with a setting has the program behind that. */
export function exampleOf(example: string): string {
  return example.includes('{}') ? example.replace('{}', PROGRAM) : `${PROGRAM} ${example}`
}

/** What help says of an option. */
export const summaryOf = ({ summary, default: standard }: Option): string =>
  standard === undefined ? summary : `${summary} (${standard})`

/** An option as it is written. */
export const spelled = (name: string, { type, value = 'text' }: Option): string =>
  type === 'string' ? `--${name} <${value}>` : `--${name}`

function columns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.flatMap(([left, right]) =>
    wrap(right, WIDTH - width - 2).map((line, i) => `  ${(i === 0 ? left : '').padEnd(width)}${line}`),
  )
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
