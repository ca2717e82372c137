import { nearest } from '../services/nearest.js'
import { type Command, wrongUse } from './command.js'
import { COMMANDS, STANDARD } from './commands.js'
import { helpOf, overview, version } from './help.js'
import { PROGRAM, parse } from './parse.js'
import { run } from './run.js'

const say = (text: string) => void process.stdout.write(text)

/** Runs what a command line asks for; without a command it is a start. */
export async function main(args: string[]): Promise<void> {
  await run(async () => {
    const [first, ...rest] = args
    if (first === '--version' || first === '-v') return say(`${version()}\n`)
    if (first === '--help' || first === '-h') return say(overview(COMMANDS))
    if (first === 'help') return say(rest[0] === undefined ? overview(COMMANDS) : helpOf(rest[0], find(rest[0])))
    if (first === undefined || first.startsWith('-')) return await call(STANDARD, args)
    await call(first, rest)
  })
}

async function call(name: string, args: string[]): Promise<void> {
  const command = find(name)
  if (args.includes('--version')) return say(`${version()}\n`)
  const parsed = parse(name, command, args)
  if (parsed === 'help') return say(helpOf(name, command))
  await command.run(parsed)
}

function find(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command) return command
  const meant = nearest(name, [...Object.keys(COMMANDS), 'help'])
  const hint = meant ? `did you mean ${meant}?` : `${PROGRAM} --help lists what there is.`
  throw wrongUse(`There is no command "${name}": ${hint}`)
}
