import { request } from 'node:http'
import { API_KEY } from '../faults/server.js'

const PATIENCE_MS = 20_000

/** A call with the service's key on a connection of its own, which is closed behind it: what is open in the server is the clients'. */
export function call(
  url: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-api-key': API_KEY, ...(body && { 'content-type': 'application/json' }) }
    const asked = request(url + path, { method, headers, agent: false, timeout: PATIENCE_MS }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${method} ${path}`)))
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })
}

/** Runs work on each of some, a few at once. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>, atOnce = 16): Promise<void> {
  const left = [...items]
  const one = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
