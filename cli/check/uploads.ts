import { join } from 'node:path'
import type { Config } from '../../plugins/config/settings.js'
import { bucketOf, uploadsOf } from '../../plugins/config/uploads.js'
import { type Finding, findings } from './finding.js'
import { mustBeWritable } from './folders.js'

const { fine, warning, wrong, skipped, thrown } = findings('uploads')
const PATIENCE_MS = 5_000

/** Where the files of messages go. */
export async function lookAtUploads(config: Config): Promise<Finding[]> {
  const kind = uploadsOf(config)
  if (kind === 'off') return [fine('off')]
  if (kind === 's3') return [await lookAtBucket(config.UPLOADS ?? '')]
  const folder = join(config.DATA_DIR, 'uploads')
  try {
    await mustBeWritable(folder, 'The folder')
    return [fine(`in ${folder}`)]
  } catch (error) {
    return thrown(error)
  }
}

/** A bucket answers somebody who shows no key, too: that it is there, or not. */
async function lookAtBucket(uploads: string): Promise<Finding> {
  const { name, endpoint } = bucketOf(uploads)
  try {
    const options = { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) } as const
    const { status } = await fetch(`${endpoint}/${name}`, options)
    if (status === 404) return wrong(`${endpoint} has no bucket ${name}: make it, or correct UPLOADS.`)
    if (status >= 500) return warning(`${endpoint} answers ${status}: look whether it is well.`)
    return fine(`the bucket ${name} at ${endpoint}; keys are first used by the first upload`)
  } catch {
    return wrong(`Nothing answers at ${endpoint}: correct the endpoint in UPLOADS, or let the firewall pass it.`)
  }
}

/** That uploads were not looked at. */
export const unlooked = [skipped('the settings come first')]
