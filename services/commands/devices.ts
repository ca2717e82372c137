import type { Handlers } from '../binder/index.js'
import type { Devices } from '../devices/index.js'

export interface DeviceCommandOptions {
  devices: Pick<Devices, 'register' | 'unregister'>
}

/** Where one wants to be told by push. */
export function createDeviceCommands({ devices }: DeviceCommandOptions) {
  return {
    async register_device({ userId }, input) {
      return { deviceId: await devices.register(userId, input) }
    },

    async unregister_device({ userId }, { deviceId }) {
      await devices.unregister(userId, deviceId)
      return {}
    },
  } satisfies Partial<Handlers>
}
