import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { folderRefusal } from '../services/refusals/folder.js'
import { openFolder } from '../services/uploads/folder.js'
import { createObjects } from '../services/uploads/objects.js'
import type { Presign, UploadStore } from '../services/uploads/ports.js'
import { createS3Presign } from '../services/uploads/s3.js'
import { bucketOf, uploadsOf } from './config/uploads.js'

/** The store of files that the settings, or the host, mean; null where there is none. */
export async function openStore(
  { config, db, log: logger, prefix }: FastifyInstance,
  presign?: Presign,
): Promise<UploadStore | null> {
  const kind = uploadsOf(config)
  if (kind === 'off' && config.UPLOADS === 'off') return null
  if (presign) return createObjects(presign)
  if (kind === 'off') return null
  if (kind === 's3') return createObjects(createS3Presign(readBucket(config)))
  if (config.BUS !== 'memory') {
    logger.warn(
      {},
      '⚠️ UPLOADS=folder is for processes of one machine: nodes on several need a bucket, as UPLOADS=s3://…',
    )
  }
  const folder = join(config.DATA_DIR, 'uploads')
  const urlOf = (id: string): string => `${prefix.replace(/\/$/, '')}/attachments/${id}`
  try {
    return await openFolder({ folder, minFreeBytes: config.MIN_FREE_BYTES, urlOf, isAlone: db.embedded })
  } catch (error) {
    throw folderRefusal(error, config.DATA_DIR)
  }
}

function readBucket({ UPLOADS = '', S3_ACCESS_KEY_ID = '', S3_SECRET_ACCESS_KEY = '' }: FastifyInstance['config']) {
  const { name, region, endpoint, prefix } = bucketOf(UPLOADS)
  const url = `${endpoint}/${name}/${prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/`}`
  return { url, region, accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY }
}
