import Fastify from 'fastify'
import { readEnvFile } from '../plugins/config/env-file.js'
import configPlugin, { type Config } from '../plugins/config/index.js'
import { causes, Refusal } from '../services/refusals/refusal.js'
import { tell } from '../services/refusals/tell.js'
import { WRONG_USE } from './command.js'

export { Refusal } from '../services/refusals/refusal.js'

/** How a process ends. */
export const EXIT = { fine: 0, failed: 1, wrongUse: 2 } as const

/** Runs a command or a script: what it throws is told as a server's refusal is, and ends it with 1, or with 2 where it was called wrongly. */
export async function run(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    process.stderr.write(tell(error, process.env))
    const isWrongUse = [...causes(error)].some((e) => e instanceof Refusal && e.code === WRONG_USE)
    process.exitCode = isWrongUse ? EXIT.wrongUse : EXIT.failed
  }
}

/** The settings that a server started in this folder would use; the database stays closed. */
export async function readSettings(): Promise<Config> {
  readEnvFile()
  const app = Fastify()
  await app.register(configPlugin, { env: process.env })
  return app.config
}
