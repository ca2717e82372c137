import { on } from 'node:events'
import type { IncomingMessage } from 'node:http'
import send from '@fastify/send'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ChatError } from '../contract/errors.js'
import { callerOf } from '../plugins/auth.js'
import { toRoute } from '../plugins/resource.js'
import type { FilePlace } from '../services/uploads/ports.js'

/** An upload that stands still for so long is cut, in a host's server as in our own. */
const IDLE_MS = 30_000

/** The bytes of files: in, by who holds the token of an upload, and out, to who may see the message. */
export default async function uploadRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { uploads } = app.chat
  const coming = new Set<IncomingMessage>()

  // Bytes of any type are a stream here, and read by who wants them.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  // A node that goes waits for no upload: its client begins anew elsewhere.
  app.addHook('preClose', async () => {
    for (const raw of coming) raw.destroy()
  })

  app.route({
    ...toRoute(instance, 'put_attachment'),
    handler: async (request, reply) => {
      const { raw, headers } = request
      const { 'x-upload-token': token, 'content-type': mimeType, 'content-length': length } = headers
      coming.add(raw)
      try {
        await uploads.receive(request.params.attachmentId.toLowerCase(), {
          token: typeof token === 'string' ? token : undefined,
          mimeType,
          length: length === undefined ? undefined : Number(length),
          bytes: bytesOf(raw),
        })
        return {}
      } catch (error) {
        // What is still to come is read by nobody.
        if (!raw.complete) reply.header('connection', 'close')
        throw raw.destroyed && !raw.complete ? new ChatError('VALIDATION_FAILED', { cause: error }) : error
      } finally {
        coming.delete(raw)
      }
    },
  })

  app.route({
    ...toRoute(instance, 'get_attachment'),
    handler: async (request, reply) => {
      const caller = callerOf(request)
      const id = request.params.attachmentId.toLowerCase()
      const { attachment, disposition, place } = await uploads.read(caller.kind === 'user' ? caller.userId : null, id)
      if (place.kind === 'url') return reply.header('cache-control', 'private, no-store').redirect(place.url, 302)
      reply.headers({
        'content-disposition': disposition,
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'same-origin',
        // Asked for again each time, so that who may no longer see it is told so.
        'cache-control': 'private, no-cache',
      })
      return sendFile(request, reply.type(attachment.mimeType), place)
    },
  })
}

/** The bytes of a request, which is cut when none come; left early, it stays open for its answer. */
async function* bytesOf(raw: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  const timer = setTimeout(() => raw.destroy(), IDLE_MS)
  try {
    // Chunk by chunk as they come: the stream's own iterator joins those that wait, and what it joined is garbage.
    for await (const [chunk] of on(raw, 'data', { close: ['end', 'close'], highWaterMark: 1, lowWaterMark: 1 })) {
      timer.refresh()
      yield chunk
    }
  } finally {
    raw.pause()
    clearTimeout(timer)
  }
}

/** A file, whole or the range of it that is asked for. */
async function sendFile(request: FastifyRequest, reply: FastifyReply, { root, path }: FilePlace & { kind: 'file' }) {
  const options = { root, contentType: false, cacheControl: false, lastModified: false }
  const { type, statusCode, headers, stream } = await send(request.raw, path, options)
  if (type === 'file') return reply.code(statusCode).headers(headers).send(stream)
  if (statusCode !== 416) throw new ChatError('NOT_FOUND')
  if (headers['Content-Range']) reply.header('content-range', headers['Content-Range'])
  throw Object.assign(new Error('Range Not Satisfiable'), { statusCode })
}
