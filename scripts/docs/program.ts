import type { Command } from '../../cli/command.js'
import { COMMANDS } from '../../cli/commands.js'
import { exampleOf, spelled, summaryOf, usageOf } from '../../cli/help.js'
import { table } from './tables.js'

const code = (text: string) => `\`${text}\``
const sh = (lines: string[]) => `\`\`\`sh\n${lines.join('\n')}\n\`\`\``

/** The commands of the program, in one line each. */
export function programTable(): string {
  return table(
    ['command', 'what'],
    Object.entries(COMMANDS).map(([name, { summary }]) => [`[${code(name)}](#${name})`, summary]),
  )
}

/** The commands of the program, each with all that it takes. */
export function programReference(): string {
  return Object.entries(COMMANDS)
    .map(([name, command]) => section(name, command))
    .join('\n\n')
}

function section(name: string, command: Command): string {
  const { summary, about, operands = [], options, examples } = command
  const takes = [
    ...operands.map((operand) => [code(operand.name), operand.summary]),
    ...Object.entries(options).map(([option, row]) => [code(spelled(option, row)), summaryOf(row)]),
  ]
  return [
    `### ${name}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}. ${about}`,
    `${code(usageOf(name, command))}`,
    ...(takes.length > 0 ? [table(['operand or option', 'what'], takes)] : []),
    sh(examples.map(exampleOf)),
  ].join('\n\n')
}
