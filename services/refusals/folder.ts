import { Refusal } from './refusal.js'

/** What the disk says to PGlite, whose errors have WASI's numbers in place of names. */
const WASI: Record<number, string> = {
  2: 'EACCES',
  19: 'EDQUOT',
  22: 'EFBIG',
  29: 'EIO',
  33: 'EMFILE',
  51: 'ENOSPC',
  69: 'EROFS',
}

const FULL = 'has no room left: free some (a new database takes 50 MB) or choose another folder'
const FOREIGN = 'cannot be read and written by this user: change its owner or choose another folder'

const ADVICE: Record<string, string> = {
  EEXIST: 'is a file: choose a folder',
  ENOTDIR: 'lies under a file: choose a folder',
  EACCES: FOREIGN,
  EPERM: FOREIGN,
  EROFS: 'is on a disk that can only be read: choose another folder',
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: 'may hold no file as large as the database needs: raise the limit of file sizes (ulimit -f)',
}

/** The name of a fault of the disk, in an error or in what caused it; undefined when it is none. */
export function diskFault(error: unknown): string | undefined {
  for (let e: unknown = error; typeof e === 'object' && e !== null; e = 'cause' in e ? e.cause : undefined) {
    if ('syscall' in e && 'code' in e && typeof e.code === 'string') return e.code
    if ('errno' in e && 'name' in e && e.name === 'ErrnoError') return WASI[Number(e.errno)] ?? 'EIO'
  }
  return undefined
}

/** An error of the disk as the refusal of a folder that a setting names; any other error as it is. */
export function folderRefusal(error: unknown, folder: string, setting = 'DATA_DIR'): unknown {
  const fault = error instanceof Refusal ? undefined : diskFault(error)
  if (fault === undefined || fault === 'EMFILE' || fault === 'ENFILE') return error
  const advice = ADVICE[fault] ?? `cannot be used (${fault}): choose another folder`
  return new Refusal(`${setting} ${folder} ${advice}.`, { code: `${setting}_UNUSABLE`, cause: error })
}
