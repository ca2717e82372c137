import t from 'tap'
import { ask, build, connect, onEachDatabase } from '../../helper.js'

t.setTimeout(600_000)

onEachDatabase('only a service chooses the id of a chat', async (t, database) => {
  const service = await build(t, database)
  const body = { type: 'group' as const, memberIds: ['bob'], chatId: 'chosen' }
  const refusal = { error: { code: 'VALIDATION_FAILED', details: [{ path: '/chatId' }] } }
  t.match(await service.call('POST', '/chats', { as: 'alice', body }), { status: 400, body: refusal })
  const { socket } = await connect(t, service, 'alice')
  t.match(await ask(socket, 'create_chat', body), { ok: false, ...refusal })
  t.match(await service.call('POST', '/chats', { as: 'service', onBehalfOf: 'alice', body }), {
    status: 201,
    body: { chat: { chatId: 'chosen' } },
  })
})

// The log named the owner, who had done nothing.
onEachDatabase('who makes a chat is the actor of its first change; a service is nobody', async (t, database) => {
  const { call } = await build(t, database)
  const body = { type: 'group', memberIds: ['bob', 'carol'] }
  const actorOf = async (by: { as: string; onBehalfOf?: string }) => {
    const made = await call('POST', '/chats', { ...by, body })
    t.equal(made.status, 201)
    const { chatId } = made.body.chat
    const synced = await call('POST', '/sync', { as: 'bob', body: { chats: { [chatId]: 0 } } })
    const [first] = synced.body.chats[chatId].changes
    t.equal(first.revision, 1)
    return first.actorId
  }
  t.equal(await actorOf({ as: 'service' }), null)
  t.equal(await actorOf({ as: 'alice' }), 'alice')
  t.equal(await actorOf({ as: 'service', onBehalfOf: 'alice' }), 'alice')
})
