import { inspect } from 'node:util'
import { tooFew } from './open-files.js'
import { causes, Refusal } from './refusal.js'

const WANTS_STACK = /^(debug|trace)$/
const PASSWORD_IN_URL = /(\w:\/\/[^\s:/@]*):[^\s]*@/g

/** What stderr says of an error that ends a process: a sentence a line, and all of it where the environment asks for debugging. */
export function tell(error: unknown, env: NodeJS.ProcessEnv): string {
  const sentences = `❌ ${sentencesOf(error).replaceAll('\n', '\n❌ ')}\n`
  return sentences + (WANTS_STACK.test(env.LOG_LEVEL ?? '') ? `${withoutPasswords(inspect(error))}\n` : '')
}

function sentencesOf(error: unknown): string {
  for (const { code = '', message } of causes(error)) {
    if (code === 'EMFILE' || code === 'ENFILE') return tooFew(code)
    if (/^(AVV_ERR|FST_ERR)_PLUGIN.*TIMEOUT$/.test(code)) {
      return `The start took too long and was given up (${firstLine(message)}): see whether the database is busy, or run npx chat-socket-service migrate before.`
    }
  }
  if (error instanceof Refusal) return error.message
  const what = withoutPasswords(error instanceof Error ? `${error.name}: ${firstLine(error.message)}` : String(error))
  return `Something unexpected ended it (${what}); LOG_LEVEL=debug shows where.`
}

function withoutPasswords(text: string): string {
  return text.replace(PASSWORD_IN_URL, '$1:…@')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
