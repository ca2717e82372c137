/** The rooms that each client is in, one of each size. */
export const ROOM_SIZES = [2, 10, 100, 500, 1_000]

/** A message in the contract's shape, so that all peers deliver the same bytes. */
export function payload(chatId: string, seq: number) {
  return {
    id: `01890a5d-ac96-774b-bcce-${String(seq % 1e12).padStart(12, '0')}`,
    chatId,
    seq,
    revision: seq + 1,
    sender: { userId: 'u1', name: 'u1', avatarUrl: null },
    clientMessageId: null,
    content: 'twenty bytes of text',
    replyToId: null,
    metadata: null,
    mentions: { userIds: [], everyone: false },
    reactions: [],
    pinnedAt: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    editedAt: null,
    deletedAt: null,
  }
}

/** The chat of a size that a client is in. */
export const roomOf = (size: number, client: number) => roomName(size, Math.floor(client / size))
export const roomName = (size: number, room: number) => `r${size}_${room}`
