import { ChatError } from '../../contract/errors.js'
import { HEAD_BYTES, isOfType } from './images.js'
import type { FileClaims, Presign, PresignRequest, UploadStore } from './ports.js'

const ASK_MS = 10_000
/** How long the URL of a GET may be used: as long as it takes to follow a redirect. */
const READ_MS = 60_000
const RETRY_AFTER_MS = 1_000

/** Keeps the bytes in a store that is reached by presigned URLs, such as a bucket: they go there and come from there past this service. */
export function createObjects(presign: Presign): UploadStore {
  async function ask(
    request: Omit<PresignRequest, 'expiresInMs'>,
    extra: Record<string, string> = {},
  ): Promise<Response> {
    try {
      const { url, headers } = await presign({ ...request, expiresInMs: READ_MS })
      const signal = AbortSignal.timeout(ASK_MS)
      const answer = await fetch(url, {
        method: request.method,
        headers: { ...headers, ...extra },
        signal,
        redirect: 'error',
      })
      if (answer.ok || answer.status === 404) return answer
      await answer.body?.cancel()
      throw new Error(`the store answered ${answer.status}`)
    } catch (error) {
      throw new ChatError('UNAVAILABLE', {
        message: 'The store of files cannot be reached; try again soon.',
        cause: error,
        retryAfterMs: RETRY_AFTER_MS,
      })
    }
  }

  async function remove(id: string): Promise<void> {
    await (await ask({ method: 'DELETE', id, mimeType: '', size: 0 })).body?.cancel()
  }

  return {
    target: async ({ id, mimeType, size }, _token, expiresInMs) =>
      presign({ method: 'PUT', id, mimeType, size, expiresInMs }),
    receive: null,

    async isWhole({ id, mimeType, size }: FileClaims) {
      // One request says how long the file is and how it begins.
      const answer = await ask({ method: 'GET', id, mimeType, size }, { range: `bytes=0-${HEAD_BYTES - 1}` })
      if (answer.status !== 206) {
        await answer.body?.cancel()
        if (answer.status !== 404) await remove(id)
        return false
      }
      const head = Buffer.from(await answer.arrayBuffer())
      const total = Number(/\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1])
      if (total === size && isOfType(mimeType, head)) return true
      await remove(id)
      return false
    },

    async place({ id, mimeType, size }, disposition) {
      const { url } = await presign({ method: 'GET', id, mimeType, size, disposition, expiresInMs: READ_MS })
      return { kind: 'url', url }
    },

    remove,
    // The bytes go before their row does, and no file is half there.
    tidy: async () => {},
  }
}
