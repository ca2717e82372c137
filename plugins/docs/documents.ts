import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESOURCES } from '../../contract/resources.js'

/** A document, as far as it is looked at here. */
export interface Document {
  [part: string]: unknown
}

const read = (name: string): Document =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../documents', name), 'utf8')) as Document

/** OpenAPI as committed, for who reads it below a prefix of this very server. */
export function readOpenApi(prefix: string): Document {
  const document = read('openapi.json')
  const { description, ...info } = document.info as { description: string }
  const { url } = RESOURCES.get_events
  return {
    ...document,
    info: { ...info, description: description.replaceAll(`(${url})`, `(${prefix}${url})`) },
    servers: [{ url: prefix || '/', description: 'This service.' }],
  }
}

/** AsyncAPI as committed, with the path at which this server has its sockets. */
export function readAsyncApi(socketPath: string): Document {
  const document = read('asyncapi.json')
  const servers = Object.entries(document.servers as Record<string, object>)
  const pathname = `/${socketPath.replace(/^\/|\/$/g, '')}/`
  return { ...document, servers: Object.fromEntries(servers.map(([name, server]) => [name, { ...server, pathname }])) }
}
