import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from 'fast-jwt'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import t, { type Test } from 'tap'
import { type ChatOptions, serviceScope } from '../app.js'
import type { ChatSocket } from '../client/src/stock.js'
import { EVENTS, type EventName, type EventPayload } from '../contract/events.js'
import { frameworkErrors } from '../plugins/errors.js'
import { next } from '../scripts/socket.js'
import { compile } from '../services/validator.js'
import { copyTemplate } from './helpers/embedded.js'
import { noteTexts, watchForLeaks } from './helpers/leaks.js'
import { createMigrated } from './helpers/migrated.js'
import { needsPostgres } from './helpers/postgres.js'

/** A secret that production would take, too. */
export const SECRET = 'kV7rT1pZq0bXyN4mJd8sLw3uEgHa6cFo'

/** The database of a suite, as settings. */
export type DatabaseOptions = Pick<ChatOptions, 'databaseUrl' | 'dataDir'>

/**
 * Runs a suite on the embedded database and on PostgreSQL, each fresh. On a machine without PostgreSQL that half skips and says so.
 */
export function onEachDatabase(name: string, suite: (t: Test, database: DatabaseOptions) => Promise<void>): void {
  t.test(`${name}, embedded`, async (t) => suite(t, { dataDir: await embeddedDir(t) }))
  t.test(`${name}, postgres`, needsPostgres, async (t) =>
    suite(t, { dataDir: tempDir(t), databaseUrl: await createMigrated(t) }),
  )
}

/** A data folder with a fresh embedded database in it. */
export async function embeddedDir(t: Test): Promise<string> {
  const dir = tempDir(t)
  await copyTemplate(dir)
  return dir
}

/** A folder that goes with the test. */
export function tempDir(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'chat-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The running service of a test. */
export interface Service {
  /** The host: what routes and REST injections see. */
  host: FastifyInstance
  /** The service's own scope: its decorators. */
  app: FastifyInstance
  url: string
  /** A node of another version: its events have schemas of their own. */
  isOlder?: boolean
  token(userId: string, claims?: object): string
  /** A REST call; the body answered is parsed. */
  call(method: Method, url: string, options?: CallOptions): Promise<{ status: number; body: Body }>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
// biome-ignore lint/suspicious/noExplicitAny: what a test expects is what it asserts
type Body = any

export interface CallOptions {
  /** Whose token is sent; `service` stands for the API key. */
  as?: string
  onBehalfOf?: string
  body?: unknown
  headers?: Record<string, string>
}

export const API_KEY = 'Zk3vPq9LxT7wRb2NcYd5GhJm8sFa4uEo'

/** What the log of a test shows, if anything; it is written and searched for what must not be in it all the same. */
const { TEST_LOG } = process.env

/** Starts the service on a free port, with the people of `users` in it; it ends with the test. */
export async function build(t: Test, options: ChatOptions & { users?: string[] } = {}): Promise<Service> {
  const { users = ['alice', 'bob', 'carol', 'dave'], ...settings } = options
  const hear = watchForLeaks(t, [SECRET, API_KEY, ...(settings.webhookSecret ?? '').split(',').filter(Boolean)])
  const write = (line: string) => {
    hear(line)
    if (TEST_LOG) process.stdout.write(line)
  }
  const host = Fastify({
    pluginTimeout: 60_000,
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: TEST_LOG ?? 'trace', stream: { write } },
    return503OnClosing: false,
    frameworkErrors,
  })
  t.teardown(() => host.close())
  const { app } = await serviceScope(
    host,
    {
      nodeEnv: 'test',
      jwtSecret: SECRET,
      serviceApiKeys: API_KEY,
      presenceGraceMs: 100,
      drainMs: 50,
      maxLoopDelayMs: 0,
      // Tests send as fast as they can.
      rateLimit: 'off',
      dataDir: settings.databaseUrl || settings.dataDir ? '/nonexistent' : await embeddedDir(t),
      ...settings,
    },
    { answersNotFound: true },
  )
  await host.listen({ port: 0, host: '127.0.0.1' })
  await app.chat.users.ensure(users.map((userId) => ({ userId, name: userId.toUpperCase(), avatarUrl: null })))

  const token = (userId: string, claims: object = {}) => sign({ sub: userId, exp: inSeconds(3_600), ...claims })
  return {
    host,
    app,
    url: `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`,
    token,
    async call(method, url, { as, onBehalfOf, body, headers = {} } = {}) {
      noteTexts(body)
      const response = await host.inject({
        method,
        url,
        ...(body !== undefined && { payload: body as object }),
        headers: {
          ...(as === 'service' && { 'x-api-key': API_KEY }),
          ...(as !== undefined && as !== 'service' && { authorization: `Bearer ${token(as)}` }),
          ...(onBehalfOf !== undefined && { 'x-on-behalf-of': onBehalfOf }),
          ...headers,
        },
      })
      return { status: response.statusCode, body: response.body === '' ? undefined : parse(response.body) }
    },
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds

/** Signs any claims with the test's secret, or another. */
export function sign(claims: object, key = SECRET): string {
  return createSigner({ key, algorithm: 'HS256' })(claims)
}

export type ClientSocket = ChatSocket
export { ask, must, next } from '../scripts/socket.js'

const validators = new Map(Object.entries(EVENTS).map(([name, { payload }]) => [name, compile(payload)]))

export type ConnectOptions = Partial<ManagerOptions & SocketOptions>

/** A stock client that is not connected yet; every event that it gets is checked against its schema. */
export function client(t: Test, service: Service, userId: string, options: ConnectOptions = {}): ClientSocket {
  const socket: ClientSocket = io(service.url, {
    auth: { token: service.token(userId) },
    transports: ['websocket'],
    forceNew: true,
    autoConnect: false,
    ...options,
  })
  socket.onAnyOutgoing((_event: string, payload: unknown) => noteTexts(payload))
  socket.onAny((event: string, payload: unknown, ...rest: unknown[]) => {
    const validate = validators.get(event)
    if (!service.isOlder && (!validate?.(payload) || rest.length > 0)) {
      t.fail(`the event ${event} does not fit its schema`, { payload, rest, errors: validate?.errors })
    }
  })
  t.teardown(() => socket.disconnect())
  return socket
}

/** Connects a stock client; answers it and its `session`. */
export async function connect(
  t: Test,
  service: Service,
  userId: string,
  options: ConnectOptions = {},
): Promise<{ socket: ClientSocket; session: EventPayload<'session'> }> {
  const socket = client(t, service, userId, options)
  const refused = new Promise<never>((_resolve, reject) => socket.once('connect_error', reject))
  const session = next(socket, 'session')
  socket.connect()
  return { socket, session: await Promise.race([session, refused]) }
}

const PATIENCE_MS = 15_000

/** All events of a name from now on, as they come. */
export function collect<E extends EventName>(socket: ClientSocket, event: E): EventPayload<E>[] {
  const payloads: EventPayload<E>[] = []
  socket.on(event, ((payload: EventPayload<E>) => payloads.push(payload)) as never)
  return payloads
}

/** Waits until something holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (Date.now() > end) throw new Error(`waited ${patienceMs} ms in vain: ${what}`)
  }
}
