import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import { serviceScope } from '../app.js'
import { frameworkErrors } from '../plugins/errors.js'

const HOUR_S = 3_600

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Service = Awaited<ReturnType<typeof startService>>

/** Starts the real service on a database of its own; `dataDir` may hold a migrated one already. */
export async function startService(dataDir?: string) {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'chat-conformance-'))
  const secret = randomBytes(36).toString('base64')
  const apiKey = randomBytes(36).toString('base64')
  const host = Fastify({ pluginTimeout: 120_000, frameworkErrors, return503OnClosing: false })
  const { app } = await serviceScope(host, {
    nodeEnv: 'test',
    jwtSecret: secret,
    serviceApiKeys: apiKey,
    dataDir: folder,
    rateLimit: 'off',
    drainMs: 50,
    // Other processes on the machine are no reason to give way.
    maxLoopDelayMs: 0,
  })
  await host.listen({ port: 0, host: '127.0.0.1' })
  const { port } = host.server.address() as AddressInfo
  const sign = createSigner({ key: secret, algorithm: 'HS256' })

  /** A REST call of the service, or of it for a user; what is refused throws. */
  async function call(method: Method, url: string, body?: object, onBehalfOf?: string) {
    const response = await host.inject({
      method,
      url,
      ...(body && { payload: body }),
      headers: { 'x-api-key': apiKey, ...(onBehalfOf && { 'x-on-behalf-of': onBehalfOf }) },
    })
    if (response.statusCode >= 300) throw new Error(`${method} ${url} was answered ${response.body}`)
    return response.json()
  }

  return {
    url: `http://127.0.0.1:${port}`,
    call,
    token: (userId: string, seconds = HOUR_S): string =>
      sign({ sub: userId, exp: Math.floor(Date.now() / 1_000) + seconds }),
    expire: (chatId: string, throughSeq: number): Promise<void> => app.chat.log.expireThrough(chatId, throughSeq),
    async close(): Promise<void> {
      await host.close()
      if (!dataDir) rmSync(folder, { recursive: true, force: true })
    },
  }
}
