import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Bus } from '../services/bus/index.js'
import { folderRefusal } from '../services/refusals/folder.js'
import { openFolder } from '../services/uploads/folder.js'
import { createUploads } from '../services/uploads/index.js'
import { createObjects } from '../services/uploads/objects.js'
import type { Presign, UploadStore } from '../services/uploads/ports.js'
import { createS3Presign } from '../services/uploads/s3.js'
import { createSweeper } from '../services/uploads/sweeper.js'
import { bucketOf, uploadsOf } from './config/uploads.js'

/** Files of messages, and what sweeps them. */
export type SweptUploads = Awaited<ReturnType<typeof openUploads>>

/** Files of messages in the store that the settings, or the host, mean; what no message carries is swept until `stop`. */
export async function openUploads(app: FastifyInstance, bus: Pick<Bus, 'subscribe'>, presign?: Presign) {
  const { config, db, log: logger } = app
  const store = await openStore(app, presign)
  const sweeper = store && createSweeper({ db, store, bus, logger })
  return {
    ...createUploads({ db, store, maxBytes: config.MAX_UPLOAD_BYTES }),
    /** Sweeps once; settles when it is done. */
    sweep: async (): Promise<void> => sweeper?.sweep(),
    stop: async (): Promise<void> => sweeper?.stop(),
  }
}

/** The store of files that the settings, or the host, mean; null where there is none. */
async function openStore(
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
