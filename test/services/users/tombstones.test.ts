import t from 'tap'
import { build, onEachDatabase } from '../../helper.js'

t.setTimeout(180_000)

// A token is looked at before its user is kept: between the two the user may have been deleted.
onEachDatabase('what a token or a host says of a deleted user revives nobody', async (t, database) => {
  const { app, call } = await build(t, database)
  const { users, log } = app.chat
  t.equal((await call('DELETE', '/users/carol', { as: 'service' })).status, 200)
  const carol = { userId: 'carol', name: 'Carol again', avatarUrl: null }
  await users.keep(carol)
  await users.ensure([carol])
  const account = (await users.getAccounts(['carol'])).get('carol')
  t.match(account, { isDeleted: true, user: { userId: 'carol', name: '' } })
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'carol'] })
  await log.addMembers(chatId, 'alice', ['carol', 'bob'])
  const { members } = await log.listMembers('alice', chatId, undefined)
  t.same(
    members.map(({ user }) => user.userId),
    ['alice', 'bob'],
  )
  t.match(await call('PUT', '/users/carol', { as: 'service', body: { name: 'Carol' } }), { status: 200 })
  t.match((await users.getAccounts(['carol'])).get('carol'), { isDeleted: false, user: { name: 'Carol' } })
})
