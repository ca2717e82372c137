import { existsSync } from 'node:fs'
import { Refusal } from '../../services/refusals/refusal.js'

/** Adds what the file .env of this folder says to the environment, which goes before it. */
export function readEnvFile(): void {
  if (!existsSync('.env')) return
  try {
    process.loadEnvFile('.env')
  } catch (error) {
    throw new Refusal('The file .env cannot be read: correct its owner, or take it away.', { cause: error })
  }
}
