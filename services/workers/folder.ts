import { mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folderRefusal } from '../refusals/folder.js'

const PREFIX = 'chat-workers-'
const EXTENSION = '.sock'
const LONGEST_ID = 999_999
/** What the path of a socket may have, with the 0 at its end, on Linux and macOS. */
const PATH_LIMIT_BYTES = 103

/** Makes the folder of the workers' sockets, for this user alone; answers its path. */
export function makeFolder(): string {
  const longest = Buffer.byteLength(socketOf(join(tmpdir(), `${PREFIX}XXXXXX`), LONGEST_ID))
  const home = longest <= PATH_LIMIT_BYTES ? tmpdir() : '/tmp'
  try {
    return mkdtempSync(join(home, PREFIX))
  } catch (error) {
    throw folderRefusal(error, home, 'TMPDIR')
  }
}

/** The path of a worker's socket. */
export const socketOf = (folder: string, id: number): string => join(folder, `${id}${EXTENSION}`)

/** The workers that have a socket. */
export function workersIn(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => Number(name.slice(0, -EXTENSION.length)))
}

/** Takes away what a worker that is gone has left, and the folder with the last of them. */
export function removeSocket(folder: string, id: number): void {
  rmSync(socketOf(folder, id), { force: true })
}

/** Takes the folder away, if nothing is in it any more. */
export function removeFolder(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others are still in it, or have taken it away.
  }
}
