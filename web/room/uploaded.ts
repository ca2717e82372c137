import type { Attachment } from '../../client/src/index.js'

const MAX_KNOWN = 100
const known = new Map<string, Attachment>()

/** Remembers a file that was uploaded here, so that its message shows it before it is stored. */
export function noteUploaded(attachment: Attachment): void {
  known.set(attachment.id, attachment)
  for (const id of known.keys()) {
    if (known.size <= MAX_KNOWN) break
    known.delete(id)
  }
}

/** Of the files of a message that waits those that were uploaded since the page was loaded. */
export const uploadedOf = (ids: readonly string[]): Attachment[] => ids.flatMap((id) => known.get(id) ?? [])
