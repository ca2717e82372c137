import { existsSync } from 'node:fs'
import { inspect } from 'node:util'
import Fastify from 'fastify'
import configPlugin, { type Config, ConfigError } from '../plugins/config/index.js'

/** A script's refusal: one sentence for who called it. */
export class Refusal extends Error {}

/** Runs a script: a refusal is one line on stderr and exit 1, anything else that it throws is shown whole. */
export async function run(script: () => Promise<void>): Promise<void> {
  try {
    await script()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isPlain = error instanceof Refusal || error instanceof ConfigError || code?.startsWith('DATA_DIR_')
    process.stderr.write(`❌ ${isPlain ? (error as Error).message : inspect(error)}\n`)
    process.exitCode = 1
  }
}

/** The settings that a server started in this folder would use; the database stays closed. */
export async function readSettings(): Promise<Config> {
  if (existsSync('.env')) process.loadEnvFile()
  const app = Fastify()
  await app.register(configPlugin, { env: process.env })
  return app.config
}
