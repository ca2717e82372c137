import { useEffect, useState } from 'preact/hooks'
import type { ChatClient } from '../../client/src/index.js'
import { useStore } from '../../client/src/react.js'
import { useService } from '../app/service.js'
import { useRun } from '../app/use-run.js'
import { canPush, NoPushService, register, unregister } from './device.js'
import { keptDevice } from './kept.js'

/** Of the switch: `others` is on for another person who uses this browser, `failed` an attempt that the browser did not carry out. */
export type PushState = 'on' | 'off' | 'others' | 'denied' | 'failed'

/** The switch of push, or null where the browser or the service has none. */
export function usePush(client: ChatClient, permission: NotificationPermission | null) {
  const { pushKey } = useService()
  const run = useRun()
  const me = useStore(client.me)
  const device = useStore(keptDevice)
  const [isBusy, setBusy] = useState(false)
  const [hasFailed, setFailed] = useState(false)
  if (!canPush || !pushKey || !me) return null

  async function doing(work: () => Promise<void>): Promise<void> {
    setBusy(true)
    setFailed(false)
    await run(async () => {
      try {
        await work()
      } catch (error) {
        if (!(error instanceof NoPushService)) throw error
        setFailed(true)
      }
    })
    setBusy(false)
  }

  const stateOf = (): PushState => {
    if (permission === 'denied') return 'denied'
    if (device?.userId === me.userId && permission === 'granted') return 'on'
    return hasFailed ? 'failed' : device ? 'others' : 'off'
  }
  return {
    state: stateOf(),
    isBusy,
    turnOn: () => doing(() => register(client, pushKey)),
    turnOff: () => doing(() => unregister(client)),
  }
}

/** Registers the device anew when its user has come: the browser may have another subscription, or the service another key. */
export function usePushStart(client: ChatClient): void {
  const { pushKey } = useService()
  const { state } = useStore(client.connection)
  const userId = useStore(client.me)?.userId
  const isIn = state === 'online' && userId !== undefined
  useEffect(() => {
    if (!canPush || !isIn || pushKey === undefined || keptDevice.get()?.userId !== userId) return
    const isWanted = pushKey !== null && Notification.permission === 'granted'
    // What fails is done at the next connection.
    void (isWanted ? register(client, pushKey) : unregister(client)).catch(() => {})
  }, [client, isIn, userId, pushKey])
}
