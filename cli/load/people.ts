import { randomBytes } from 'node:crypto'
import { MAX_IDS } from '../../contract/limits.js'
import type { Api } from '../api.js'

/** A user of a run and the chat that they talk in. */
export interface Person {
  userId: string
  chatId: string
}

const AT_ONCE = 10

/** Does something to each, some at once. */
export async function each<T>(items: T[], work: (item: T) => Promise<unknown>, atOnce = AT_ONCE): Promise<void> {
  const left = [...items]
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}

/** Names users and chats that nobody has had before; each user talks in one chat. */
export function namePeople(users: number, chats: number): Person[] {
  const run = `load-${randomBytes(4).toString('hex')}`
  return Array.from({ length: users }, (_, i) => ({ userId: `${run}-${i}`, chatId: `${run}-chat-${i % chats}` }))
}

/** The chats of some people, with their members. */
export function chatsOf(people: Person[]): Map<string, string[]> {
  const chats = new Map<string, string[]>()
  for (const { userId, chatId } of people) chats.set(chatId, [...(chats.get(chatId) ?? []), userId])
  return chats
}

/** Makes users and chats, as a main API would. */
export async function makePeople(api: Api, people: Person[]): Promise<void> {
  await each(people, ({ userId }) => api.must('PUT', `/users/${userId}`, { name: userId }))
  await each([...chatsOf(people)], async ([chatId, memberIds]) => {
    const [founders, others] = [memberIds.slice(0, MAX_IDS), memberIds.slice(MAX_IDS)]
    await api.must('POST', '/chats', { type: 'group', chatId, title: 'load test', memberIds: founders })
    for (let i = 0; i < others.length; i += MAX_IDS) {
      await api.must('POST', `/chats/${chatId}/members`, { userIds: others.slice(i, i + MAX_IDS) })
    }
  })
}

/** Takes them away again; an id stays taken. */
export async function removePeople(api: Api, people: Person[]): Promise<void> {
  await each([...chatsOf(people).keys()], (chatId) => api.ask('DELETE', `/chats/${chatId}`))
  await each(people, ({ userId }) => api.ask('DELETE', `/users/${userId}`))
}
