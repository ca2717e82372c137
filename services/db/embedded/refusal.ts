import { folderRefusal } from '../../refusals/folder.js'
import { Refusal } from '../../refusals/refusal.js'

/** Why the database of a folder does not start: its disk, or what PostgreSQL has said of the files. */
export function startRefusal(error: unknown, dataDir: string): unknown {
  const refusal = folderRefusal(error, dataDir)
  if (refusal !== error || !(error instanceof Error) || error instanceof Refusal) return refusal
  const said = error.message.split('\n').map((line) => /(?:FATAL|PANIC): +(.*)/.exec(line)?.[1])
  const reason = said.find((line) => line !== undefined) ?? error.message.split('\n', 1)[0]
  return new Refusal(
    `The embedded database in DATA_DIR ${dataDir} does not start (${reason}): put a copy of the folder in its place, or choose another.`,
    { code: 'DATA_DIR_UNUSABLE', cause: error },
  )
}
