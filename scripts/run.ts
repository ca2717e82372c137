import Fastify from 'fastify'
import { readEnvFile } from '../plugins/config/env-file.js'
import configPlugin, { type Config } from '../plugins/config/index.js'
import { tell } from '../services/refusals/tell.js'

export { Refusal } from '../services/refusals/refusal.js'

/** Runs a script: what it throws is told as a server's refusal is, and ends it with 1. */
export async function run(script: () => Promise<void>): Promise<void> {
  try {
    await script()
  } catch (error) {
    process.stderr.write(tell(error, process.env))
    process.exitCode = 1
  }
}

/** The settings that a server started in this folder would use; the database stays closed. */
export async function readSettings(): Promise<Config> {
  readEnvFile()
  const app = Fastify()
  await app.register(configPlugin, { env: process.env })
  return app.config
}
