import t from 'tap'
import { MAX_EMOJI } from '../../../contract/limits.js'
import { build, onEachDatabase } from '../../helper.js'

t.setTimeout(600_000)

onEachDatabase('a message carries so many different emoji, each by anybody', async (t, database) => {
  const { call } = await build(t, database)
  const made = await call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  const { chatId } = made.body.chat
  const sent = await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'like me' } })
  const react = (as: string, emoji: string, method: 'PUT' | 'DELETE' = 'PUT') =>
    call(method, `/messages/${sent.body.message.id}/reactions/${emoji}`, { as })
  for (let i = 0; i < MAX_EMOJI; i += 1) await react('alice', `e${i}`)
  t.match(await react('bob', 'one-more'), { status: 409, body: { error: { code: 'LIMIT_REACHED' } } })
  t.match(await react('bob', 'e0'), { status: 200, body: { message: { reactions: { length: MAX_EMOJI } } } })
  t.equal((await react('alice', 'e1', 'DELETE')).status, 200)
  t.equal((await react('bob', 'one-more')).status, 200, 'there is room again')
})
