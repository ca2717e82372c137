import type { MyChat } from '../../contract/shapes.js'
import type { Service } from '../helper.js'
import { type Room, visible, WORD } from './unseen-world.js'

/** All that is answered to a user, way by way, and their history among it. */
async function readAll({ call, app }: Service, rooms: Room[], userId: string) {
  const found: [way: string, text: string][] = []
  let history = ''
  const ask = async (way: string, url: string, method: 'GET' | 'POST' = 'GET', body?: object) => {
    const answer = await call(method, url, { as: userId, ...(body && { body }) })
    found.push([way, JSON.stringify(answer.body ?? null)])
    return answer
  }
  const session: MyChat[] = (await app.chat.log.getChatsOf([userId])).get(userId) ?? []
  found.push(['session', JSON.stringify(session)])
  for (const filter of ['active', 'archived', 'unread', 'all']) await ask(`list ${filter}`, `/chats?filter=${filter}`)
  await ask('mentions', '/messages/mentions?limit=50')
  for (const { chatId, messages } of rooms) {
    await ask('chat', `/chats/${chatId}`)
    const page = await ask('history', `/chats/${chatId}/messages?limit=200`)
    history += JSON.stringify(page.body)
    await ask('pins', `/chats/${chatId}/pins?limit=50`)
    await ask('members', `/chats/${chatId}/members`)
    await ask('marks', `/chats/${chatId}/read`)
    // Who came late is told `reset` from below their coming: so from wherever it may be.
    const { revision: head = 1 } = (await app.chat.log.getChat(chatId)) ?? {}
    for (let revision = 1; revision <= head; revision += 3) {
      await ask('sync', '/sync', 'POST', { chats: { [chatId]: revision }, limit: 1_000 })
    }
    for (const { id, seq, word } of messages) {
      await ask('message', `/messages/${id}`)
      await ask('around', `/chats/${chatId}/messages?aroundMessageId=${id}&limit=3`)
      await ask('before', `/chats/${chatId}/messages?beforeSeq=${seq + 1}&limit=2`)
      const hits = await ask('search', `/messages/search?query=${word}&limit=50`)
      // The query is not told back; whose word was hit is.
      found.push(['search hit', hits.body?.messages?.length > 0 ? word : ''])
    }
  }
  const kept = await call('GET', `/users/${userId}/export`, { as: 'service' })
  const lines = typeof kept.body === 'string' ? kept.body : JSON.stringify(kept.body ?? '')
  // What they wrote is theirs, wherever they wrote it.
  const own = new Set(
    rooms.flatMap(({ messages }) => messages.filter((one) => one.senderId === userId).map(({ word }) => word)),
  )
  found.push(['export', lines.replaceAll(WORD, (word) => (own.has(word) ? '' : word))])
  return { found, history }
}

/** The bytes of files go where their messages go. */
async function readFiles({ call }: Service, rooms: Room[], userId: string) {
  const faults: string[] = []
  const carried = rooms.flatMap((room) =>
    room.messages.flatMap((said) => (said.attachmentId === null ? [] : [{ room, said, id: said.attachmentId }])),
  )
  for (const { room, said, id } of carried) {
    const { status } = await call('GET', `/attachments/${id}`, { as: userId })
    const wanted = visible(room, userId).includes(said) ? 200 : 404
    if (status !== wanted) faults.push(`GET /attachments of ${said.word} answers ${userId} ${status}, not ${wanted}`)
  }
  return { faults, looks: carried.length }
}

/** What of a played world is answered to whom it should not be, or is missing where it should be; and how many answers were looked at. */
export async function findFaults(service: Service, users: string[], rooms: Room[]) {
  const faults: string[] = []
  let looks = 0
  for (const userId of users) {
    const { found, history } = await readAll(service, rooms, userId)
    const mine = rooms.flatMap((room) => visible(room, userId))
    const words = new Set(mine.map(({ word }) => word))
    for (const [way, text] of found) {
      const leaked = [...text.matchAll(WORD)].map(([word]) => word).filter((word) => !words.has(word))
      if (leaked.length > 0) faults.push(`${way} tells ${userId} of ${leaked}`)
    }
    // So that who sees nothing at all is no proof.
    const missing = mine.filter(({ word }) => !history.includes(word))
    if (missing.length > 0) faults.push(`the history of ${userId} leaves out ${missing.map(({ seq }) => seq)}`)
    const files = await readFiles(service, rooms, userId)
    faults.push(...files.faults)
    looks += found.length + files.looks
  }
  return { faults, looks }
}
