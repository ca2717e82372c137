import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESOURCES } from '../../contract/resources.js'
import type { Schema } from './fields.js'

const textOf = (name: string): string => readFileSync(join(import.meta.dirname, '../../documents', name), 'utf8')

/** OpenAPI, as far as it is looked at here. */
export interface OpenApi {
  openapi: string
  info: { title: string; version: string; description: string }
  servers: { url: string; description: string }[]
  paths: Record<string, object>
}

export interface Reference {
  $ref: string
}

/** What travels over a socket one way. */
export interface Message {
  name: string
  payload: Reference
  examples: { name: string; payload: unknown }[]
}

/** A command, or an event: `receive` and `send` are the server's. */
export interface Operation {
  action: 'send' | 'receive'
  summary: string
  description?: string
  tags?: { name: string }[]
  messages: Reference[]
  reply?: { messages: Reference[] }
}

/** What of AsyncAPI is looked at here, as `scripts/docs/api/asyncapi.ts` writes it. */
export interface AsyncApi {
  info: { title: string; version: string; description: string; tags: { name: string; description: string }[] }
  servers: Record<string, { pathname: string }>
  operations: Record<string, Operation>
  components: { messages: Record<string, Message>; schemas: Record<string, Schema> }
  'x-errors': Record<string, { retryable: boolean; message: string }>
  'x-closings': Record<string, { retryable: boolean; message: string }>
}

/** OpenAPI as committed, for who reads it below a prefix of this very server. */
export function readOpenApi(prefix: string): OpenApi {
  const document: OpenApi = JSON.parse(textOf('openapi.json'))
  const { url } = RESOURCES.get_events
  const description = document.info.description.replaceAll(`(${url})`, `(${prefix}${url})`)
  return {
    ...document,
    info: { ...document.info, description },
    servers: [{ url: prefix || '/', description: 'This service.' }],
  }
}

/** AsyncAPI as committed, with the path at which this server has its sockets. */
export function readAsyncApi(socketPath: string): AsyncApi {
  const document: AsyncApi = JSON.parse(textOf('asyncapi.json'))
  const pathname = `/${socketPath.replace(/^\/|\/$/g, '')}/`
  const servers = Object.entries(document.servers).map(([name, server]) => [name, { ...server, pathname }])
  return { ...document, servers: Object.fromEntries(servers) }
}
