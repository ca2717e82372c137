import type { Handlers } from '../binder/index.js'
import type { Uploads } from '../uploads/index.js'

export interface UploadCommandOptions {
  uploads: Pick<Uploads, 'create' | 'confirm'>
}

/** Files of messages. */
export function createUploadCommands({ uploads }: UploadCommandOptions) {
  return {
    create_upload: (caller, input) => uploads.create(caller, input),
  } satisfies Partial<Handlers>
}
