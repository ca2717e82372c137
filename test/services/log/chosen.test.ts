import t from 'tap'
import { ask, build, connect, onEachDatabase } from '../../helper.js'

t.setTimeout(180_000)

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
