import { parseArgs } from 'node:util'
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { readKeys } from '../plugins/config/keys.js'
import { listOf } from '../plugins/config/lists.js'
import { algorithmsOf } from '../plugins/config/wrong-keys.js'
import { Refusal, readSettings, run } from './run.js'

const USAGE = 'Usage: npm run -s token -- <userId> [--service] [--days <n>]'
const DAY_S = 86_400

interface Wish {
  userId: string | undefined
  isService: boolean
  days: number
}

function readArgs(): Wish {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { service: { type: 'boolean' }, days: { type: 'string', default: '1' } },
  })
  const [userId] = positionals
  const wish = { userId, isService: values.service === true, days: Number(values.days) }
  const isKnown = Object.keys(values).every((name) => name === 'service' || name === 'days')
  if (!isKnown || positionals.length > 1 || (!userId && !wish.isService) || !(wish.days > 0)) throw new Refusal(USAGE)
  return wish
}

/** Prints a token that the server of this folder takes, signed with the secret that it uses; it need not be stopped. */
await run(async () => {
  const { userId, isService, days } = readArgs()
  const config = await readSettings()
  if (config.isProduction)
    throw new Refusal('This makes development tokens; in production your own service makes them.')
  const [first] = readKeys(config.JWT_SECRET)
  if (!first) throw new Refusal('Tokens are verified by a public key here, so whoever has the private one makes them.')
  const lifetimeS = Math.ceil(days * DAY_S)
  if (lifetimeS > config.JWT_MAX_LIFETIME) throw new Refusal('--days is more than JWT_MAX_LIFETIME allows.')

  const app = Fastify()
  await app.register(jwt, {
    secret: first.key,
    sign: { algorithm: algorithmsOf(config)[0] ?? 'HS256', ...(first.kid !== undefined && { kid: first.kid }) },
  })
  const claims = {
    ...(userId && { [config.JWT_USER_CLAIM]: userId }),
    ...(isService && { scope: 'service' }),
    ...(config.JWT_ISSUER && { iss: listOf(config.JWT_ISSUER)[0] }),
    ...(config.JWT_AUDIENCE && { aud: config.JWT_AUDIENCE }),
    exp: Math.floor(Date.now() / 1_000) + lifetimeS,
  }
  process.stdout.write(`${app.jwt.sign(claims)}\n`)
})
