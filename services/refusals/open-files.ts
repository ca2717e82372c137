import { readFileSync } from 'node:fs'
import { Refusal } from './refusal.js'

/** Loading the modules alone takes up to 200 at once, and each client one more. */
const LEAST_OPEN_FILES = 256

/** Refuses a process that may not open the files of a start; where the limit cannot be read, as outside Linux, it lets all pass. */
export function requireOpenFiles(read = () => readFileSync('/proc/self/limits', 'utf8')): void {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(attempt(read))?.[1] ?? Number.POSITIVE_INFINITY)
  if (limit < LEAST_OPEN_FILES) throw new Refusal(tooFew(`${limit}, and a start needs ${LEAST_OPEN_FILES}`))
}

/** The sentence for a process that ran out of open files. */
export function tooFew(what: string): string {
  return `Too few files may be open at once (${what}): raise the limit, as with ulimit -n 65536.`
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
