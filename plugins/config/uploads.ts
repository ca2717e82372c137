import type { Settings } from './settings.js'

/** Where the files of messages are, by the settings. */
export type UploadsKind = 'off' | 'folder' | 's3'

/** A bucket, as UPLOADS names it. */
export interface Bucket {
  name: string
  region: string
  /** Where it is reached, its name in the path. */
  endpoint: string
  /** What the keys in it begin with. */
  prefix: string
}

/** The store that the settings mean. */
export function uploadsOf({ UPLOADS, DATABASE_URL }: Pick<Settings, 'UPLOADS' | 'DATABASE_URL'>): UploadsKind {
  if (UPLOADS === undefined) return DATABASE_URL ? 'off' : 'folder'
  return UPLOADS === 'off' || UPLOADS === 'folder' ? UPLOADS : 's3'
}

/** The bucket of `s3://bucket/prefix?region=…&endpoint=…`. */
export function bucketOf(uploads: string): Bucket {
  const { hostname, pathname, searchParams } = new URL(uploads)
  const region = searchParams.get('region') ?? 'us-east-1'
  const endpoint = searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`
  return { name: hostname, region, endpoint: endpoint.replace(/\/$/, ''), prefix: pathname.slice(1) }
}

/** What is wrong with the settings of uploads. */
export function findWrongUploads(settings: Settings): string[] {
  if (uploadsOf(settings) !== 's3') return []
  const { UPLOADS = '', S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = settings
  const faults: string[] = []
  if (!URL.canParse(UPLOADS) || !/^https?:\/\/[^/?#@]+\/?$/.test(bucketOf(UPLOADS).endpoint)) {
    faults.push('UPLOADS must be a bucket as s3://bucket?region=eu-central-1&endpoint=https://s3.example.com')
  }
  if (!S3_ACCESS_KEY_ID) faults.push('S3_ACCESS_KEY_ID must be set with the bucket in UPLOADS')
  if (!S3_SECRET_ACCESS_KEY) faults.push('S3_SECRET_ACCESS_KEY must be set with the bucket in UPLOADS')
  return faults
}
