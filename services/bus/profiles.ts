import type { Bus } from './index.js'

/** A line of the bus fits into the smallest packet there is, with its ids in JSON and room to spare. */
const MAX_BYTES = 4_096

/** Tells all nodes that profiles changed, some hundred at a time; of who is deleted, also which chats they left. */
export function publishProfiles(bus: Pick<Bus, 'publish'>, userIds: string[], left: string[] = []): void {
  if (left.length === 0) for (const part of partsOf(userIds)) bus.publish('profiles', { userIds: part })
  else for (const part of partsOf(left)) bus.publish('profiles', { userIds, left: part })
}

function partsOf(ids: string[]): string[][] {
  const parts: string[][] = []
  let bytes = MAX_BYTES
  for (const id of new Set(ids)) {
    bytes += Buffer.byteLength(JSON.stringify(id)) + 1
    if (bytes > MAX_BYTES) {
      parts.push([])
      bytes = Buffer.byteLength(JSON.stringify(id)) + 1
    }
    parts.at(-1)?.push(id)
  }
  return parts
}
