import { Refusal } from './refusal.js'

/** Refuses a start that was given arguments, which would be passed over in silence: it has settings, and commands are the program's. */
export function requireNoArguments(given: string[]): void {
  if (given.length === 0) return
  throw new Refusal(
    `A server takes no arguments (${given.join(' ')}): settings come from the environment, commands are those of npx chat-socket-service --help.`,
  )
}
