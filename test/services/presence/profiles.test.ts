import { build, connect, onEachDatabase, type Service, until } from '../../helper.js'

type Heard = Record<string, { userId: string; name: string }[]>

onEachDatabase('profiles that change', async (t, database) => {
  const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'gina', 'hugo']
  const service = await build(t, { ...database, users, presenceMaxMembers: 3 })
  const { app, call } = service
  const { log } = app.chat
  const heard: Heard = {}
  const sockets = new Map<string, Awaited<ReturnType<typeof connect>>['socket']>()

  await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob', 'carol'] })
  await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob'] })
  await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob', 'dave', 'erin', 'hugo'] })
  await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'frank'] })
  for (const userId of users) {
    const list: Heard[string] = []
    heard[userId] = list
    const { socket } = await connect(t, service, userId)
    socket.on('user_updated', (user) => list.push(user))
    sockets.set(userId, socket)
  }
  const watch = async (userId: string, ...userIds: string[]) =>
    void (await sockets.get(userId)?.emitWithAck('watch_presence', { userIds }))
  const put = (userId: string, name: string) => call('PUT', `/users/${userId}`, { as: 'service', body: { name } })
  /** What everybody has heard when a later change, of somebody all hear of in the end, is through. */
  async function told(): Promise<Record<string, string[]>> {
    await fence(service, heard)
    const names = Object.fromEntries(
      Object.entries(heard).map(([who, list]) => [who, list.map(({ userId, name }) => `${userId} ${name}`)]),
    )
    for (const list of Object.values(heard)) list.length = 0
    return Object.fromEntries(Object.entries(names).filter(([, list]) => list.length > 0))
  }

  /** Changes alice until just these hear of it: this node reads for itself who is apart, a moment after. */
  async function settle(name: string, who: string[]): Promise<void> {
    let tries = 0
    await until('who hears of it is as it should be', async () => {
      tries += 1
      await put('alice', `${name} ${tries}`)
      const seen = await told()
      return Object.keys(seen).join() === who.join() && Object.values(seen).every(({ length }) => length === 1)
    })
  }

  await t.test('are told along small chats and to oneself, once a socket', async (t) => {
    t.equal((await put('alice', 'Alicia')).status, 200)
    const one = ['alice Alicia']
    t.strictSame(await told(), { alice: one, bob: one, carol: one, frank: one }, 'not to whom only a large chat joins')
  })

  await t.test('not where nothing changed', async (t) => {
    await put('alice', 'Alicia')
    t.strictSame(await told(), {})
  })

  await t.test('to watchers who may know, and to no other', async (t) => {
    await watch('dave', 'alice')
    await watch('gina', 'alice')
    await put('alice', 'Allie')
    const one = ['alice Allie']
    t.strictSame(await told(), { alice: one, bob: one, carol: one, dave: one, frank: one })
  })

  await t.test('not across a block, either way', async () => {
    await log.setBlock('alice', 'frank', true)
    await log.setBlock('dave', 'alice', true)
    await settle('Ally', ['alice', 'bob', 'carol'])
    await log.setBlock('alice', 'frank', false)
    await log.setBlock('dave', 'alice', false)
    await settle('Al', ['alice', 'bob', 'carol', 'dave', 'frank'])
  })

  await t.test('a storm of them is told once, as it is in the end', async (t) => {
    for (let i = 0; i < 20; i += 1) await app.chat.users.keep({ userId: 'carol', name: `${i}`, avatarUrl: null })
    await until('the last is told', () => heard.bob?.at(-1)?.name === '19')
    t.ok((heard.bob?.length ?? 0) < 20, 'what comes together goes out together')
    await told()
  })

  await t.test('a host says which, any number of them', async (t) => {
    app.chat.users.changed([...Array.from({ length: 5_000 }, (_, i) => `nobody-${i}`), 'carol'])
    t.strictSame(await told(), { alice: ['carol 19'], bob: ['carol 19'], carol: ['carol 19'] })
  })

  await t.test('who is deleted has no name, for all who were in a small chat with them', async (t) => {
    t.equal((await call('DELETE', '/users/frank', { as: 'service' })).status, 200)
    await until('it is told', () => (heard.alice?.length ?? 0) > 0)
    t.strictSame(await told(), { alice: ['frank '] })
    t.equal((await call('DELETE', '/users/erin', { as: 'service' })).status, 200)
    t.strictSame(await told(), {}, 'nor along a large one')
  })
})

let fences = 0
/** Changes oneself, whom nobody else may know, and waits until that is told: what was said before has been told, too. */
async function fence({ app }: Service, heard: Heard): Promise<void> {
  fences += 1
  await app.chat.users.keep({ userId: 'gina', name: `fence ${fences}`, avatarUrl: null })
  await until('the fence is told', () => heard.gina?.some(({ name }) => name === `fence ${fences}`) ?? false)
  const others = heard.gina?.filter(({ userId }) => userId !== 'gina') ?? []
  heard.gina?.splice(0, heard.gina.length, ...others)
}
