import type { Handlers } from '../binder/index.js'
import { type ChatCommandOptions, createChatCommands } from './chats.js'
import { createDeviceCommands, type DeviceCommandOptions } from './devices.js'
import { createMessageCommands, type MessageCommandOptions } from './messages.js'
import { createPeopleCommands, type PeopleCommandOptions } from './people.js'
import { createUploadCommands, type UploadCommandOptions } from './uploads.js'

/** Every command of the table, by name. */
export function createCommands(
  options: ChatCommandOptions &
    DeviceCommandOptions &
    MessageCommandOptions &
    PeopleCommandOptions &
    UploadCommandOptions,
): Handlers {
  return {
    ...createChatCommands(options),
    ...createDeviceCommands(options),
    ...createMessageCommands(options),
    ...createPeopleCommands(options),
    ...createUploadCommands(options),
  }
}
