import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export const S3_KEY = { accessKeyId: 'AKIDTESTTESTTEST', secretAccessKey: 'wJalrXUtnFEMIK7MDENGbPxRfiCYTESTKEY0' }
export const S3_REGION = 'eu-test-1'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Why a presigned request is refused, by AWS' description of Signature Version 4; undefined for a good one. */
function refusalOf({ method = '', url = '', headers }: IncomingMessage): string | undefined {
  const { pathname, searchParams: query } = new URL(url, 'http://s3')
  const given = query.get('X-Amz-Signature')
  const [key, day = '', region = '', service = '', end] = (query.get('X-Amz-Credential') ?? '').split('/')
  const at = query.get('X-Amz-Date') ?? ''
  if (key !== S3_KEY.accessKeyId || region !== S3_REGION || service !== 's3' || end !== 'aws4_request')
    return 'InvalidAccessKeyId'
  const made = Date.parse(at.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Date.now() < made + Number(query.get('X-Amz-Expires')) * 1_000)) return 'AccessDenied: expired'
  query.delete('X-Amz-Signature')
  const pairs = [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';')
  const lines = signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`).join('')
  const canonical = [method, pathname, pairs.join('&'), lines, signed.join(';'), 'UNSIGNED-PAYLOAD'].join('\n')
  const scope = `${day}/${region}/${service}/${end}`
  const text = ['AWS4-HMAC-SHA256', at, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const derived = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${S3_KEY.secretAccessKey}`)
  return hmac(derived, text).toString('hex') === given ? undefined : 'SignatureDoesNotMatch'
}

/** A server that speaks as much of S3 as presigned URLs do, and checks their signatures. */
export async function startS3(t: Test) {
  const objects = new Map<string, { body: Buffer; type: string }>()
  const refusals: string[] = []

  function refuse(response: ServerResponse, status: number, code: string): void {
    refusals.push(code)
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3')
    const refusal = refusalOf(request)
    if (refusal) return refuse(response, 403, refusal)
    const held = objects.get(pathname)
    if (request.method === 'PUT') {
      if (held && request.headers['if-none-match'] === '*') return refuse(response, 412, 'PreconditionFailed')
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      objects.set(pathname, { body: Buffer.concat(chunks), type: request.headers['content-type'] ?? '' })
      response.writeHead(200).end()
    } else if (request.method === 'DELETE') {
      objects.delete(pathname)
      response.writeHead(204).end()
    } else if (!held) {
      refuse(response, 404, 'NoSuchKey')
    } else {
      const [, from = 0, to = held.body.length - 1] = (
        /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      ).map(Number)
      const part = held.body.subarray(from, to + 1)
      response.writeHead(request.headers.range ? 206 : 200, {
        'content-type': searchParams.get('response-content-type') ?? held.type,
        'content-range': `bytes ${from}-${from + part.length - 1}/${held.body.length}`,
        'content-disposition': searchParams.get('response-content-disposition') ?? '',
      })
      response.end(part)
    }
  }

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    objects,
    refusals,
    /** The settings of a service that keeps its files here. */
    settings: {
      uploads: `s3://bucket/files?region=${S3_REGION}&endpoint=${endpoint}`,
      s3AccessKeyId: S3_KEY.accessKeyId,
      s3SecretAccessKey: S3_KEY.secretAccessKey,
    },
  }
}
