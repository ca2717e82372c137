/** What tabs tell each other: that the stored list is another, or the keys that are on their way. */
export type TabNews = 'changed' | { sending: string[] }

/** All clients that share a storage, as the tabs of a browser do. */
export interface Tabs {
  /** Runs it while no other does so under that name. */
  exclusive<T>(name: string, run: () => Promise<T>): Promise<T>
  /** Calls once this one leads, which it does until it gives up or dies; answers how to give up. */
  lead(name: string, onLead: () => void): () => void
  /** Hears what the others tell. */
  join(name: string, hear: (news: TabNews) => void): { tell(news: TabNews): void; leave(): void }
}

/** Nobody else is there. */
export const ALONE: Tabs = {
  exclusive: (_name, run) => run(),
  lead(_name, onLead) {
    onLead()
    return () => {}
  },
  join: () => ({ tell() {}, leave() {} }),
}

/** The tabs of this browser; null where they cannot lock each other out. */
export function browserTabs(): Tabs | null {
  if (typeof indexedDB === 'undefined' || typeof BroadcastChannel === 'undefined') return null
  if (typeof navigator === 'undefined' || !navigator.locks) return null
  const { locks } = navigator
  return {
    exclusive: async (name, run) => locks.request(`${name}#list`, run),

    lead(name, onLead) {
      const stop = new AbortController()
      const hold = () =>
        new Promise<void>((release) => {
          stop.signal.addEventListener('abort', () => release())
          onLead()
        })
      // Rejected when given up; where locks are refused, the storage is not used either.
      locks.request(name, { signal: stop.signal }, hold).catch(() => {})
      return () => stop.abort()
    },

    join(name, hear) {
      const channel = new BroadcastChannel(name)
      channel.onmessage = ({ data }: MessageEvent<TabNews>) => hear(data)
      return { tell: (news) => channel.postMessage(news), leave: () => channel.close() }
    },
  }
}
