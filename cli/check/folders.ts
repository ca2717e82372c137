import { constants, existsSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { folderRefusal } from '../../services/refusals/folder.js'

/** A folder, or where it is not there yet, the one in which it would be made. */
export function existing(folder: string): string {
  let path = resolve(folder)
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  return path
}

/** Refuses a folder that this user cannot write to, or could not make. */
export async function mustBeWritable(folder: string, setting: string): Promise<void> {
  try {
    const path = existing(folder)
    if (!(await stat(path)).isDirectory()) {
      const code = path === resolve(folder) ? 'EEXIST' : 'ENOTDIR'
      throw Object.assign(new Error(code), { code, syscall: 'mkdir' })
    }
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw folderRefusal(error, folder, setting)
  }
}
