import t from 'tap'
import { MAX_PINS } from '../../../contract/limits.js'
import type { Message } from '../../../contract/shapes.js'
import { build, connect, must, next, onEachDatabase, type Service } from '../../helper.js'

t.setTimeout(600_000)

const by = (userId: string) => ({ userId, isByService: false })
const idsOf = (messages: Message[]) => messages.map(({ id }) => id)

async function group({ call }: Service, memberIds: string[], more: object = {}): Promise<string> {
  const made = await call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds, ...more } })
  return made.body.chat.chatId
}

onEachDatabase('pins', async (t, database) => {
  const service = await build(t, database)
  const { call } = service
  const { log } = service.app.chat
  const write = async (chatId: string, senderId: string, count: number) => {
    const sent = []
    for (let i = 0; i < count; i += 1) sent.push(await log.append({ chatId, senderId, content: `${i}` }))
    return sent.map(({ message }) => message)
  }
  const pin = (as: string, id: string, method: 'PUT' | 'DELETE' = 'PUT') => call(method, `/messages/${id}/pin`, { as })

  await t.test('a pin is a change that all are told, once', async (t) => {
    const chatId = await group(service, ['alice', 'bob', 'carol'])
    const [message] = await write(chatId, 'bob', 1)
    const { socket } = await connect(t, service, 'bob')
    const told = next(socket, 'message_updated')
    const pinned = await pin('alice', message?.id ?? '')
    t.match(pinned, { status: 200, body: { message: { revision: 3, pinnedAt: String, editedAt: null } } })
    t.same(await told, pinned.body.message)
    t.same(await pin('alice', message?.id ?? ''), pinned, 'twice is once')
    t.match(await pin('bob', message?.id ?? '', 'DELETE'), { status: 403, body: { error: { code: 'FORBIDDEN' } } })
    t.same((await must(socket, 'list_pins', { chatId })).messages, [pinned.body.message])
    const off = next(socket, 'message_updated')
    const unpinned = await pin('alice', message?.id ?? '', 'DELETE')
    t.match(unpinned.body.message, { revision: 4, pinnedAt: null })
    t.same(await off, unpinned.body.message)
    t.same(await pin('alice', message?.id ?? '', 'DELETE'), unpinned, 'and so is taking it off')
    t.same(await must(socket, 'list_pins', { chatId }), { messages: [], nextCursor: null })
    const { chats } = await must(socket, 'sync', { chats: { [chatId]: 2 } })
    t.match(chats[chatId], { changes: [{ type: 'message_updated', revision: 4 }] })
  })

  await t.test('both of a direct chat pin, and neither when they are apart', async (t) => {
    const made = await call('POST', '/chats', { as: 'service', body: { type: 'direct', memberIds: ['alice', 'bob'] } })
    const [first, second] = await write(made.body.chat.chatId, 'alice', 2)
    t.equal((await pin('bob', first?.id ?? '')).status, 200)
    t.equal((await pin('alice', second?.id ?? '')).status, 200)
    await log.setBlock('bob', 'alice', true)
    const refused = { status: 403, body: { error: { code: 'FORBIDDEN', details: { reason: 'blocked' } } } }
    t.match(await pin('bob', first?.id ?? '', 'DELETE'), refused)
    await log.setBlock('bob', 'alice', false)
    t.equal((await pin('bob', first?.id ?? '', 'DELETE')).status, 200)
  })

  await t.test('the last pinned comes first, page by page, also of those that were pinned at once', async (t) => {
    const chatId = await group(service, ['alice', 'bob'])
    const ids = idsOf(await write(chatId, 'alice', 12))
    await Promise.all(ids.slice(0, 10).map((id) => log.pin(by('alice'), id, true)))
    await log.pin(by('alice'), ids[3] as string, false)
    await log.pin(by('alice'), ids[11] as string, true)
    await log.pin(by('alice'), ids[3] as string, true)
    const order = [3, 11, 9, 8, 7, 6, 5, 4, 2, 1, 0].map((i) => ids[i] as string)
    t.same(idsOf((await log.listPins('bob', { chatId })).messages), order)
    const paged: string[] = []
    let cursor: string | undefined
    do {
      const url = `/chats/${chatId}/pins?limit=4${cursor ? `&cursor=${cursor}` : ''}`
      const { body } = await call('GET', url, { as: 'bob' })
      paged.push(...idsOf(body.messages))
      cursor = body.nextCursor ?? undefined
    } while (cursor)
    t.same(paged, order)
    t.match(await call('GET', `/chats/${chatId}/pins?cursor=e30`, { as: 'bob' }), { status: 400 })
  })

  await t.test('are of messages that one may see', async (t) => {
    const chatId = await group(service, ['alice', 'bob'], { historyVisibility: 'joined' })
    const [old] = await write(chatId, 'alice', 1)
    await pin('alice', old?.id ?? '')
    await log.addMembers(chatId, null, ['carol'])
    await log.setRole(null, { chatId, userId: 'carol', role: 'admin' })
    const [fresh] = await write(chatId, 'alice', 1)
    await pin('carol', fresh?.id ?? '')
    t.same(idsOf((await log.listPins('bob', { chatId })).messages), [fresh?.id, old?.id])
    t.same(idsOf((await log.listPins('carol', { chatId })).messages), [fresh?.id])
    t.match(await pin('carol', old?.id ?? '', 'DELETE'), { status: 404 })
    const { socket } = await connect(t, service, 'carol')
    const told = next(socket, 'message_updated')
    await pin('alice', old?.id ?? '', 'DELETE')
    t.match(await told, { id: old?.id, content: null, pinnedAt: null }, 'the place and nothing more')
    await pin('alice', old?.id ?? '')
    await log.removeMember(chatId, null, 'carol')
    const strangers = await Promise.all(['carol', 'dave'].map((as) => call('GET', `/chats/${chatId}/pins`, { as })))
    for (const answer of strangers) t.same(answer, await call('GET', '/chats/nowhere/pins', { as: 'dave' }))
  })

  await t.test('a deleted message is not pinned, and loses its pin', async (t) => {
    const chatId = await group(service, ['alice', 'bob'])
    const [one, other] = await write(chatId, 'bob', 2)
    await pin('alice', one?.id ?? '')
    t.match(await log.delete('bob', one?.id ?? ''), { pinnedAt: null, content: null })
    t.same((await log.listPins('alice', { chatId })).messages, [])
    t.match(await pin('alice', one?.id ?? ''), { status: 409, body: { error: { code: 'CONFLICT' } } })
    await pin('alice', other?.id ?? '')
    await log.askErasure('bob')
    await log.clear()
    t.same((await log.listPins('alice', { chatId })).messages, [], 'erased with all that its sender wrote')
    for (let round = 0; round < 20; round += 1) {
      const [message] = await write(chatId, 'bob', 1)
      const id = message?.id ?? ''
      const [pinned] = await Promise.allSettled([log.pin(by('alice'), id, true), log.delete('bob', id)])
      if (pinned.status === 'rejected') t.match(pinned.reason, { code: 'CONFLICT' })
      t.match(await log.getMessage('bob', id), { pinnedAt: null, content: null })
    }
    t.same((await log.listPins('alice', { chatId })).messages, [], 'whichever came first')
  })

  await t.test(`a chat has ${MAX_PINS} of them`, async (t) => {
    const chatId = await group(service, ['alice', 'bob'])
    const ids = idsOf(await write(chatId, 'alice', MAX_PINS + 1))
    await Promise.all(ids.slice(1).map((id) => log.pin(by('alice'), id, true)))
    const refused = { status: 409, body: { error: { code: 'LIMIT_REACHED' } } }
    t.match(await pin('alice', ids[0] as string), refused)
    t.equal((await pin('alice', ids[1] as string)).status, 200, 'what is pinned stays so')
    t.equal((await pin('alice', ids[1] as string, 'DELETE')).status, 200)
    t.equal((await pin('alice', ids[0] as string)).status, 200, 'there is room again')
  })
})
