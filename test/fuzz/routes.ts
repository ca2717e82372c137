import type { TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { COMMAND_NAMES, COMMANDS, type Command } from '../../contract/commands.js'
import { RESOURCES, type Resource } from '../../contract/resources.js'
import { keysOf } from '../../contract/words.js'
import { arbitraryOf } from './payloads.js'
import { VICTIM_CHAT_IDS } from './world.js'

/** A call of a route with values that fit: what is in its URL, behind its `?`, and in its body. */
export interface RouteCall {
  method: string
  url: string
  params: Record<string, unknown>
  query: Record<string, unknown>
  body: unknown
}

const none = fc.constant({})
const recordOf = (schema: TSchema | undefined) =>
  (schema ? arbitraryOf(schema) : none) as fc.Arbitrary<Record<string, unknown>>

/** Who, or which chat, is put to death by a route is none that others use. */
const VICTIMS = fc.nat({ max: 50 }).map((i) => ({ userId: `victim-${i}` }))
const VICTIM_CHATS = fc.constantFrom(...VICTIM_CHAT_IDS).map((chatId) => ({ chatId }))
const DEADLY: Record<string, fc.Arbitrary<object>> = {
  delete_user: VICTIMS,
  revoke_tokens: VICTIMS,
  put_user: VICTIMS,
  disconnect_user: VICTIMS,
  delete_chat: VICTIM_CHATS,
}

function ofCommand({ input, rest }: Command): fc.Arbitrary<RouteCall>[] {
  if (!rest) return []
  const { method, url, single = {} } = rest
  const parts = [...url.matchAll(/:(\w+)/g)].flatMap(([, part]) => part ?? [])
  const inQuery = method === 'GET' || method === 'DELETE'
  return [
    recordOf(input).map((whole) => {
      const left = { ...whole }
      const params: Record<string, unknown> = {}
      for (const part of parts) {
        const list = single[part]
        params[part] = list === undefined ? left[part] : [left[list]].flat()[0]
        delete left[list ?? part]
      }
      return { method, url, params, query: inQuery ? left : {}, body: inQuery ? undefined : left }
    }),
  ]
}

function ofResource(name: string, { method, url, input }: Resource): fc.Arbitrary<RouteCall> {
  const params = DEADLY[name] ?? recordOf(input.params)
  const query = recordOf(input.querystring)
  const body = input.body ? recordOf(input.body) : fc.constant(undefined)
  return fc.record({
    method: fc.constant(method),
    url: fc.constant(url),
    params,
    query,
    body,
  }) as fc.Arbitrary<RouteCall>
}

const plain = (method: string, ...urls: string[]) =>
  urls.map((url): fc.Arbitrary<RouteCall> => fc.constant({ method, url, params: {}, query: {}, body: undefined }))

/** What is no route of the tables: the page, the docs, Engine.IO's own door, and nothing at all. */
const OTHERS = [
  ...plain('GET', '/', '/index.html', '/chat.js', '/nothing', '/docs', '/docs/json', '/docs/static/index.html'),
  ...plain('GET', '/docs/static/../../package.json', '/../etc/passwd', '//', '/socket.io', '/socket.io/socket.io.js'),
  ...plain(
    'GET',
    '/socket.io/?EIO=4&transport=polling&j=0',
    '/socket.io/?EIO=3&transport=polling',
    '/socket.io/?EIO=4',
  ),
  ...plain('GET', '/socket.io/?EIO=4&transport=polling&sid=x', '/socket.io/?transport=__proto__', '/socket.io/%'),
  ...plain(
    'POST',
    '/socket.io/?EIO=4&transport=polling&sid=x',
    '/socket.io/?EIO=4&transport=polling',
    '/socket.io/??%73id=1',
  ),
]

/** Calls of every route of the service, all as often. */
const calls = fc.oneof(
  ...COMMAND_NAMES.flatMap((name) => ofCommand(COMMANDS[name])),
  ...keysOf(RESOURCES).map((name) => ofResource(name, RESOURCES[name])),
  fc.oneof(...OTHERS),
)

/** So many calls, by a seed. */
export const sampleCalls = (seed: number, count: number): RouteCall[] => fc.sample(calls, { seed, numRuns: count })
