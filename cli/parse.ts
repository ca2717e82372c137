import { parseArgs } from 'node:util'
import { optionName, Settings } from '../plugins/config/settings.js'
import { nearest } from '../services/nearest.js'
import { type Call, type Command, wrongUse } from './command.js'

/** What a command line asks of a command: to run as called, or only to say how it is called. */
export type Parsed = Call | 'help'

/** Reads what follows a command's name; what is wrong with it is told in one sentence, with the name that was meant. */
export function parse(name: string, { options, operands = [] }: Command, args: string[]): Parsed {
  const types = Object.fromEntries(Object.entries(options).map(([option, { type }]) => [option, { type }]))
  const { tokens } = parseArgs({
    args,
    options: { ...types, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return 'help'

  const call: Call = { operands: [], values: standards(options) }
  for (const token of tokens) {
    if (token.kind === 'positional') call.operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (!option) throw unknownOption(name, token.rawName, Object.keys(options))
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw wrongUse(`--${token.name} is a switch: it takes no value.`)
      call.values[token.name] = true
      continue
    }
    const isMissing = token.value === undefined || token.value === '' || (!token.inlineValue && /^-./.test(token.value))
    if (isMissing) throw wrongUse(`--${token.name} needs a value: --${token.name} <${option.value ?? 'text'}>.`)
    call.values[token.name] = token.value
  }
  const [surplus] = call.operands.slice(operands.length)
  if (surplus !== undefined) throw wrongUse(`${name} does not know what to do with "${surplus}": ${seeHelp(name)}.`)
  return call
}

function standards(options: Command['options']): Call['values'] {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, option.type === 'boolean' ? false : option.default]),
  )
}

function unknownOption(name: string, given: string, known: string[]): Error {
  const meant = nearest(given.replace(/^-+/, ''), [...known, 'help'])
  const setting = Object.keys(Settings.properties).find(
    (candidate) => optionName(candidate).toLowerCase() === given.replace(/[-_]/g, '').toLowerCase(),
  )
  const hint = setting
    ? `${setting} is a setting: put it into the environment, or a line ${setting}=… into the file .env`
    : meant
      ? `did you mean --${meant}?`
      : seeHelp(name)
  return wrongUse(`${name} has no option ${given}: ${hint}${hint.endsWith('?') ? '' : '.'}`)
}

const seeHelp = (name: string): string => `see ${PROGRAM} ${name} --help`

/** How the program is called. */
export const PROGRAM = 'npx chat-socket-service'
