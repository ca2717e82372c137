import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { type ChatOptions, serviceScope } from './app.js'
import type { Chat } from './plugins/chat.js'

/** A running service of a test. */
export interface TestService {
  /** Where it listens. */
  url: string
  chat: Chat
  /** A key for X-Api-Key. */
  apiKey: string
  /** A token of a user, who is made when they first come; it is good for an hour. */
  token(userId: string, claims?: { name?: string; picture?: string }): string
  /** Ends it, and takes its data away. */
  close(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const TOKEN_S = 3_600

/**
 * The whole service for the tests of an app: on a free port of this machine, without limits of rate, and, unless `databaseUrl` says
 * otherwise, with an embedded database of its own.
 */
export async function build(options: ChatOptions = {}): Promise<TestService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-socket-service-'))
  const host = Fastify({ pluginTimeout: START_TIMEOUT_MS, return503OnClosing: false })
  const close = async () => {
    await host.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const apiKey = makeSecret()
    const ours = {
      nodeEnv: 'test',
      jwtSecret: makeSecret(),
      serviceApiKeys: apiKey,
      rateLimit: 'off',
      dataDir,
    } as const
    const { app } = await serviceScope(host, { ...ours, ...options }, { answersNotFound: true })
    const url = await host.listen({ port: 0, host: '127.0.0.1' })
    const token: TestService['token'] = (userId, claims = {}) =>
      app.auth.sign({ ...claims, sub: userId, exp: Math.floor(Date.now() / 1_000) + TOKEN_S })
    return { url, chat: app.chat, apiKey, token, close }
  } catch (error) {
    await close()
    throw error
  }
}

const makeSecret = () => randomBytes(32).toString('base64url')
