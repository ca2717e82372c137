import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import type { ChatPluginOptions } from '../../app.js'
import { API_KEY, embeddedDir, inSeconds, SECRET, type Service, sign } from '../helper.js'

/** An app of somebody else's, with nothing in it yet; it ends with the test. */
export function createHost(t: Test, options: FastifyServerOptions = {}): FastifyInstance {
  const host = Fastify({ pluginTimeout: 60_000, return503OnClosing: false, ...options }) as unknown as FastifyInstance
  t.teardown(() => host.close())
  return host
}

/** What a host says to the chat in a test; without a database, an embedded one of its own. */
export async function chatOptions(t: Test, options: ChatPluginOptions = {}): Promise<ChatPluginOptions> {
  return {
    nodeEnv: 'test',
    jwtSecret: SECRET,
    serviceApiKeys: API_KEY,
    presenceGraceMs: 100,
    drainMs: 50,
    maxLoopDelayMs: 0,
    ...(!options.databaseUrl && !options.dataDir && { dataDir: await embeddedDir(t) }),
    ...options,
  }
}

/** A listening host's chat under a prefix, as the helper's clients and calls take it. */
export async function serviceOf(host: FastifyInstance, prefix = ''): Promise<Service> {
  if (!host.server.listening) await host.listen({ port: 0, host: '127.0.0.1' })
  const token = (userId: string, claims: object = {}) => sign({ sub: userId, exp: inSeconds(3_600), ...claims })
  return {
    host,
    app: host,
    url: `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`,
    token,
    async call(method, url, { as, onBehalfOf, body, headers = {} } = {}) {
      const response = await host.inject({
        method,
        url: `${prefix}${url}`,
        ...(body !== undefined && { payload: body as object }),
        headers: {
          ...(as === 'service' && { 'x-api-key': API_KEY }),
          ...(as !== undefined && as !== 'service' && { authorization: `Bearer ${token(as)}` }),
          ...(onBehalfOf !== undefined && { 'x-on-behalf-of': onBehalfOf }),
          ...headers,
        },
      })
      return { status: response.statusCode, body: response.body === '' ? undefined : JSON.parse(response.body) }
    },
  }
}
