import type { Handlers } from '../binder/index.js'
import { type ChatCommandOptions, createChatCommands } from './chats.js'
import { createMessageCommands, type MessageCommandOptions } from './messages.js'
import { createPeopleCommands, type PeopleCommandOptions } from './people.js'
import { createUploadCommands, type UploadCommandOptions } from './uploads.js'

/** Every command of the table, by name. */
export function createCommands(
  options: ChatCommandOptions & MessageCommandOptions & PeopleCommandOptions & UploadCommandOptions,
): Handlers {
  return {
    ...createChatCommands(options),
    ...createMessageCommands(options),
    ...createPeopleCommands(options),
    ...createUploadCommands(options),
  }
}
