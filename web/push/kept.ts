/** A registered device: whose it is, and by what id the service knows it. */
export interface KeptDevice {
  userId: string
  deviceId: string
}

const KEY = 'push device'
const listeners = new Set<() => void>()
let value = read()

function read(): KeptDevice | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return isDevice(kept) ? kept : null
  } catch {
    // A browser that keeps nothing is no device.
    return null
  }
}

function isDevice(kept: unknown): kept is KeptDevice {
  if (typeof kept !== 'object' || kept === null || !('userId' in kept) || !('deviceId' in kept)) return false
  return typeof kept.userId === 'string' && typeof kept.deviceId === 'string'
}

function tell(next: KeptDevice | null): void {
  value = next
  for (const listener of listeners) listener()
}

addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) tell(read())
})

/** Whose device this browser is; a store as the client has them. */
export const keptDevice = {
  get: (): KeptDevice | null => value,
  set(device: KeptDevice | null): void {
    try {
      if (device) localStorage.setItem(KEY, JSON.stringify(device))
      else localStorage.removeItem(KEY)
    } catch {
      // It holds for this page, at least.
    }
    tell(device)
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
}
