import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ask, build, connect, tempDir, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'

// A user has one budget on all nodes, told of a moment later.

t.test('who spends on one node has less on the others', needsPostgres, async (t) => {
  const settings = {
    databaseUrl: await createDatabase(t),
    dataDir: tempDir(t),
    rateLimit: 'on',
    // Nothing comes back while this test lasts.
    rateSends: '1/60',
  } as const
  const [a, b] = [await build(t, settings), await build(t, settings)]
  for (const { call } of [a, b])
    await until('the bus is there', async () => (await call('GET', '/health')).body.checks.bus.ok)
  const { body } = await a.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  const { chatId } = body.chat
  const [{ socket: here }, { socket: there }, { socket: bob }] = await Promise.all([
    connect(t, a, 'alice'),
    connect(t, b, 'alice'),
    connect(t, b, 'bob'),
  ])
  const send = (socket: typeof here, content: string) => ask(socket, 'send_message', { chatId, content })
  const allowed = async (socket: typeof here, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => send(socket, `${i}`)))
    return answers.filter(({ ok }) => ok).length
  }

  t.equal(await allowed(here, 50), 50)
  await until('the other node has heard', () => b.app.budgets.left('sends', 'alice') <= 12)
  await sleep(600)
  t.ok(a.app.budgets.left('sends', 'alice') >= 10, 'what was taken here is not taken twice')
  const rest = await allowed(there, 20)
  t.ok(rest >= 10 && rest <= 13, `${rest} of the 10 that are left and what came back`)
  t.match(await send(bob, 'mine'), { ok: true }, 'others have their own')
  await until('and back', () => a.app.budgets.left('sends', 'alice') <= 3)
})
