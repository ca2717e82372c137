import type { Expected, Room, Standing } from './oracle.js'

export const keyOf = ({ userId, chatId }: Pick<Expected, 'userId' | 'chatId'>) => `${userId} ${chatId}`
export const byKey = (all: Expected[]) => new Map(all.map((one) => [keyOf(one), one]))

/** Up to where members may count as told though they were not: what was decided, and was not for them then, or no more when it was to be told. */
export function createDropped(rooms: Room[]) {
  const dropped = new Map<string, number>()

  return {
    has: (one: Expected): boolean => dropped.has(keyOf(one)),

    add(key: string, upToSeq: number): void {
      dropped.set(key, Math.max(upToSeq, dropped.get(key) ?? 0))
    },

    /** The chats as they are when all that was dropped counts as told. */
    without(): Room[] {
      if (dropped.size === 0) return []
      return rooms.map((room) => {
        const told = ({ userId, notifiedSeq }: Standing) =>
          Math.max(notifiedSeq, dropped.get(keyOf({ userId, chatId: room.chatId })) ?? 0)
        const members = Array.from(
          room.members,
          ([userId, one]) => [userId, { ...one, notifiedSeq: told(one) }] as const,
        )
        return { ...room, members: new Map(members) }
      })
    },
  }
}
