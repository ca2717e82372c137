import t from 'tap'
import { build, onEachDatabase } from '../../helper.js'

t.setTimeout(600_000)

onEachDatabase('profiles are told to people who share a chat', async (t, database) => {
  const { call } = await build(t, database)
  await call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  const seenBy = async (as: string) => {
    const found: string[] = []
    for (const userId of ['alice', 'bob', 'carol', 'nobody']) {
      const { body } = await call('GET', `/users/${userId}`, { as })
      found.push(...(body.users ?? []).map((user: { userId: string }) => user.userId))
    }
    return found
  }
  t.same(await seenBy('alice'), ['alice', 'bob'])
  t.same(await seenBy('carol'), ['carol'])
  t.same(await seenBy('service'), ['alice', 'bob', 'carol'])
})

onEachDatabase('when somebody was last seen never goes back', async (t, database) => {
  const { app } = await build(t, database)
  const { users } = app.chat
  const [earlier, later] = [1_700_000_000_000, 1_700_000_060_000]
  await users.saveLastSeen([{ userId: 'alice', lastSeenAtMs: later, version: 2 }])
  // As one that waited while the database was away.
  await users.saveLastSeen([{ userId: 'alice', lastSeenAtMs: earlier, version: 1 }])
  t.match((await users.getLastSeen(['alice'])).get('alice'), { lastSeenAtMs: later, version: 2 })
})
