import { AwsV4Signer } from 'aws4fetch'
import type { Presign } from './ports.js'

export interface S3Options {
  /** The bucket, in a URL that keys are put behind. */
  url: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/**
 * Signs URLs of an S3-compatible bucket. A PUT has its type, its length and that nothing is there yet signed: the bucket refuses other bytes,
 * and a second PUT.
 */
export function createS3Presign({ url: bucket, region, accessKeyId, secretAccessKey }: S3Options): Presign {
  return async ({ method, id, mimeType, size, disposition, expiresInMs }) => {
    const url = new URL(`${bucket}${id}`)
    url.searchParams.set('X-Amz-Expires', String(Math.floor(expiresInMs / 1_000)))
    if (disposition !== undefined) {
      url.searchParams.set('response-content-disposition', disposition)
      url.searchParams.set('response-content-type', mimeType)
      url.searchParams.set('response-cache-control', 'private, no-store')
    }
    const headers = method === 'PUT' ? { 'content-type': mimeType, 'if-none-match': '*' } : undefined
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      ...(headers && { headers: { ...headers, 'content-length': String(size) }, allHeaders: true }),
      accessKeyId,
      secretAccessKey,
      service: 's3',
      region,
      signQuery: true,
    })
    const signed = await signer.sign()
    // The length is the client's own to say.
    return { url: signed.url.href, headers: headers ?? {} }
  }
}
