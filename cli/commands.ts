import type { Command } from './command.js'
import check from './commands/check.js'
import importCommand from './commands/import.js'
import load from './commands/load.js'
import migrate from './commands/migrate.js'
import start from './commands/start.js'
import token from './commands/token.js'
import verifyFeed from './commands/verify-feed.js'

/** The command of a line that names none. */
export const STANDARD = 'start'

/** Every command, in the order of the help. */
export const COMMANDS: Record<string, Command> = {
  start,
  check,
  migrate,
  token,
  import: importCommand,
  load,
  'verify-feed': verifyFeed,
}
