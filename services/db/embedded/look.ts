import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, readHolder } from './holder.js'
import { LOCK_FILE } from './lock.js'

/** A data folder as one sees it who does not open it. */
export interface FolderLook {
  /** Whether there is a database in it. */
  isMade: boolean
  /** The process that has it open, if any. */
  heldBy: number | null
}

/** Looks at the folder of the embedded database, and touches nothing in it. */
export async function lookAtFolder(dataDir: string): Promise<FolderLook> {
  const path = join(dataDir, LOCK_FILE)
  const holder = await readHolder(path)
  const isHeld = holder !== null && (await isAlive(holder, path))
  return { isMade: existsSync(join(dataDir, 'pgdata')), heldBy: isHeld ? holder.pid : null }
}
