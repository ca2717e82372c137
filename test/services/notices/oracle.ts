/** A message as the model knows it. */
export interface Sent {
  seq: number
  senderId: string
  /** By the model's clock. */
  atMs: number
  isDeleted: boolean
  names: string[] | 'everyone'
}

/** A member of a chat. */
export interface Standing {
  userId: string
  readSeq: number
  notifiedSeq: number
  isMuted: boolean
}

/** A chat of the model. */
export interface Room {
  chatId: string
  isLarge: boolean
  sent: Sent[]
  members: Map<string, Standing>
}

/** What a scan is to tell. */
export interface Expected {
  userId: string
  chatId: string
  fromSeq: number
  throughSeq: number
  /** Up to where it is decided: what lies between is not for them now. */
  upToSeq: number
}

/** What is so at a scan. */
export interface At {
  /** Messages of this time and older are due. */
  dueMs: number
  /** The messages of this scan: later than one time, and not later than the other. */
  fresh: { afterMs: number; throughMs: number } | null
  isAway(userId: string): boolean
  /** Whether they left since the scan before. */
  hasLeft(userId: string): boolean
  hasBlocked(userId: string, other: string): boolean
}

/** Whether a message is one that a member is to hear of, in time. */
export function isFor(room: Room, member: Standing, message: Sent, at: Pick<At, 'hasBlocked'>): boolean {
  const isNamed = message.names === 'everyone' || message.names.includes(member.userId)
  const isOthers = message.senderId !== member.userId && !at.hasBlocked(member.userId, message.senderId)
  return isOthers && !message.isDeleted && message.seq > member.readSeq && (!room.isLarge || isNamed)
}

/** The decision as a pure function: whom a scan tells of what. The SQL is compared with it. */
export function decide(rooms: Room[], at: At): Expected[] {
  const { fresh } = at
  return rooms.flatMap((room) => {
    const moved = room.sent.filter(({ atMs }) => fresh && atMs > fresh.afterMs && atMs <= fresh.throughMs)
    const due = room.sent.filter(({ atMs }) => atMs <= at.dueMs)
    return [...room.members.values()].flatMap((member): Expected[] => {
      const { userId, notifiedSeq } = member
      if (!at.isAway(userId) || member.isMuted) return []
      // In a large chat only a message that names somebody brings them into question.
      const isAsked = moved.some(({ names }) => !room.isLarge || names === 'everyone' || names.includes(userId))
      const last = Math.max(isAsked ? lastSeq(moved) : 0, at.hasLeft(userId) ? lastSeq(due) : 0)
      const found = room.sent.filter((one) => one.seq > notifiedSeq && one.seq <= last && isFor(room, member, one, at))
      const [first] = found
      return first
        ? [{ userId, chatId: room.chatId, fromSeq: first.seq, throughSeq: lastSeq(found), upToSeq: last }]
        : []
    })
  })
}

/** The last seq of some messages; 0 for none. */
export const lastSeq = (sent: Sent[]): number => sent.at(-1)?.seq ?? 0
