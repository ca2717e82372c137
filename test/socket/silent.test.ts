import t from 'tap'
import { build, until } from '../helper.js'
import { openRaw } from '../helpers/raw.js'

t.setTimeout(120_000)

// CONNECT_TIMEOUT_MS is ten seconds; Socket.IO's own would be 45.
t.test('who never joins is sent away', async (t) => {
  const service = await build(t)
  const silent = await openRaw(t, service.url)
  await silent.take('0')
  const [joined] = [await openRaw(t, service.url, service.token('alice'))]
  t.equal(service.app.io.engine.clientsCount, 2)
  await until('the silent one is gone', () => service.app.io.engine.clientsCount === 1)
  t.equal(await silent.take('4'), null)
  t.match(await joined.ask('list_chats', '{}'), { ok: true }, 'who has joined stays')
})
