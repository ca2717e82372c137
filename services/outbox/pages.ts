import type { ChatChanges } from '../../contract/hooks.js'
import type { SyncedChat } from '../../contract/shapes.js'
import type { Log } from '../log/index.js'
import type { Target } from './hooks.js'
import type { Place } from './positions.js'

/** What one request tells of a chat; null where it holds nothing that the hook wants to hear. */
export interface Page {
  through: number
  data: ChatChanges | null
}

/** Lines that one reading of the log may take, of all its chats, and bytes of a request's changes. */
const MAX_LINES = 500
const MAX_BYTES = 1_048_576

/**
 * Reads what hooks are told of chats, as `sync` answers it to a service. Laws: a page begins behind what the hook took last and is without a hole; what it
 * holds fits in a request, but where one change alone is larger.
 */
export function createPages(log: Pick<Log, 'sync'>) {
  /** The pages of some chats, by id; of one that has no page yet there was no room. */
  async function read(target: Target, places: Place[], limit = MAX_LINES): Promise<Map<string, Page>> {
    const asked = Object.fromEntries(places.map(({ chatId, seen }) => [chatId, seen]))
    const { chats } = await log.sync(null, { chats: asked, limit })
    const pages = new Map<string, Page>()
    for (const place of places) {
      const synced = chats[place.chatId]
      const page = synced && (await toPage(target, place, synced))
      if (page) pages.set(place.chatId, page)
    }
    return pages
  }

  async function toPage(target: Target, place: Place, synced: SyncedChat): Promise<Page | undefined> {
    const { chatId, revision, seen } = place
    const from = revision + 1
    if ('gone' in synced) {
      const { head } = place
      return { through: head, data: { chatId, from, through: head, head, changes: [], gone: true } }
    }
    const { head } = synced
    if ('reset' in synced)
      return { through: head, data: { chatId, from, through: head, head, changes: [], reset: true } }
    const { through } = synced
    if (through <= seen) return undefined
    const changes = synced.changes.filter(({ type }) => target.events.has(type))
    const bytes = Buffer.byteLength(JSON.stringify(changes))
    const lines = through - seen
    if (bytes > MAX_BYTES && lines > 1) {
      // Read again, and not cut: an entity stands here only as its last change in the page shows it.
      const fewer = Math.max(1, Math.min(lines - 1, Math.floor((lines * MAX_BYTES) / bytes)))
      return (await read(target, [place], fewer)).get(chatId)
    }
    return { through, data: changes.length > 0 ? { chatId, from, through, head, changes } : null }
  }

  return read
}
