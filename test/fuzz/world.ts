import type { ProbedServer } from '../probe/index.js'

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`)

/** Who there is, and in which chats; the last few are in none. */
export const USER_IDS = numbered('user', 40)
export const CHAT_IDS = numbered('room', 12)
/** Chats that are there to be deleted. */
export const VICTIM_CHAT_IDS = numbered('victim-room', 10)
/** Two that nobody but themselves knows: they chat as if nothing had been. */
export const PAIR = ['pair-0', 'pair-1'] as const
export const PAIR_CHAT = 'pair-room'

/** How many are in each chat. */
export const PER_CHAT = 14
const MESSAGES = 64

/** Makes the users, the chats and some messages; answers the messages' ids. */
export async function createWorld(server: ProbedServer): Promise<string[]> {
  const must = async (method: string, path: string, body?: object, onBehalfOf?: string) => {
    const answer = await server.call(method, path, body, onBehalfOf)
    if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }
  for (const userId of [...USER_IDS, ...PAIR]) await must('PUT', `/users/${userId}`, { name: userId })
  await must('POST', '/chats', { type: 'group', chatId: PAIR_CHAT, memberIds: [...PAIR] })
  for (const [i, chatId] of CHAT_IDS.entries()) {
    const memberIds = Array.from(
      { length: PER_CHAT },
      (_, k) => USER_IDS[(i * 3 + k) % (USER_IDS.length - 3)] as string,
    )
    await must('POST', '/chats', { type: 'group', chatId, memberIds, title: `Room ${i}` })
  }
  for (const chatId of VICTIM_CHAT_IDS) await must('POST', '/chats', { type: 'group', chatId, memberIds: [...PAIR] })
  const messageIds: string[] = []
  for (let i = 0; i < MESSAGES; i += 1) {
    const chat = i % CHAT_IDS.length
    const sender = USER_IDS[(chat * 3 + (i % PER_CHAT)) % (USER_IDS.length - 3)]
    const body = await must('POST', `/chats/${CHAT_IDS[chat]}/messages`, { content: `hello ${i}` }, sender)
    messageIds.push((body as { message?: { id: string } }).message?.id ?? '')
  }
  return messageIds
}
