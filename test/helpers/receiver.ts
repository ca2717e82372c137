import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { ChatChanges } from '../../contract/hooks.js'
import type { Owner } from './postgres.js'

export const RECEIVER_SECRET = `whsec_${Buffer.from('Vb4nM8xKq2LzT6wRc9YdGhJs').toString('base64')}`

/** What a hook was told in one request. */
export interface Told {
  headers: IncomingHttpHeaders
  type: string
  data: Record<string, unknown>
}

type Respond = (response: ServerResponse, told: Told) => void

export interface ReceiverOptions {
  secrets?: string[]
  port?: number
  /** Whether all that is told is kept. */
  keeps?: boolean
  /** Whether each revision is one change that nothing follows, as where all that is written is messages. */
  isWhole?: boolean
  /** Another that was here before: what it has taken stays taken. */
  before?: { through: Map<string, number>; count: number; revisions: number }
}

/** What a main API does: it checks each request with the library, keeps how far it was told of each chat, and finds any hole by the numbers. */
export async function serveReceiver(
  t: Owner,
  { secrets = [RECEIVER_SECRET], port = 0, keeps = true, isWhole = false, before }: ReceiverOptions = {},
) {
  const receiver = {
    url: '',
    told: [] as Told[],
    /** The last revision of each chat that was taken; it begins where the first range begins. */
    through: before?.through ?? new Map<string, number>(),
    /** What must not be. */
    faults: [] as string[],
    count: before?.count ?? 0,
    /** Lines of logs that were taken. */
    revisions: before?.revisions ?? 0,
    atOnce: new Map<string, number>(),
    verifiers: secrets.map((secret) => new Webhook(secret)),
    respond: ((response) => response.writeHead(204).end()) as Respond,
    /** The requests that told of chats. */
    changes: (chatId: string) =>
      receiver.told
        .map(({ data }) => data as unknown as ChatChanges)
        .filter((data) => data.from && data.chatId === chatId),
    close: async () => {},
  }

  function take(told: Told): void {
    receiver.count += 1
    if (keeps) receiver.told.push(told)
    if (told.type !== 'chat.changes') return
    const { chatId, from, through, changes } = told.data as unknown as ChatChanges
    const before = receiver.through.get(chatId) ?? from - 1
    if (from > before + 1) receiver.faults.push(`${chatId}: ${from} after ${before}`)
    if (through < from) receiver.faults.push(`${chatId}: ${from} to ${through}`)
    const revisions = changes.map(({ revision }) => revision)
    if (revisions.some((revision, i) => revision < from || revision > through || revision <= (revisions[i - 1] ?? 0)))
      receiver.faults.push(`${chatId}: ${revisions} in ${from} to ${through}`)
    if (isWhole && changes.length !== through - from + 1) {
      receiver.faults.push(`${chatId}: ${changes.length} changes in ${from} to ${through}`)
    }
    receiver.revisions += Math.max(0, through - before)
    receiver.through.set(chatId, Math.max(before, through))
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      for (const verifier of receiver.verifiers) {
        try {
          verifier.verify(text, request.headers as Record<string, string>)
        } catch (error) {
          receiver.faults.push(`a signature: ${error}`)
        }
      }
      const told = { headers: request.headers, ...JSON.parse(text) } as Told
      const chatId = String(told.data.chatId)
      const atOnce = (receiver.atOnce.get(chatId) ?? 0) + 1
      receiver.atOnce.set(chatId, atOnce)
      if (told.type === 'chat.changes' && atOnce > 1) receiver.faults.push(`${chatId}: two at once`)
      response.once('close', () => receiver.atOnce.set(chatId, (receiver.atOnce.get(chatId) ?? 1) - 1))
      const { writeHead } = response
      // What is answered 2xx was taken.
      response.writeHead = ((status: number, ...rest: []) => {
        if (status >= 200 && status < 300) take(told)
        return writeHead.call(response, status, ...rest)
      }) as typeof writeHead
      receiver.respond(response, told)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  receiver.close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  t.teardown(() => receiver.close())
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/chat`
  return receiver
}

export type Receiver = Awaited<ReturnType<typeof serveReceiver>>
