import type { Test } from 'tap'
import { build, type DatabaseOptions, onEachDatabase, type Service, until } from '../../helper.js'
import { RECEIVER_SECRET, type Receiver, serveReceiver } from '../../helpers/receiver.js'

const as = 'service'

async function start(t: Test, database: DatabaseOptions) {
  const service = await build(t, { ...database })
  const receiver = await serveReceiver(t)
  const put = (hookId: string, body: object = {}) =>
    service.call('PUT', `/hooks/${hookId}`, { as, body: { url: receiver.url, secret: RECEIVER_SECRET, ...body } })
  return { service, receiver, put }
}

async function makeChat({ app }: Service, historyVisibility: 'all' | 'joined' = 'all'): Promise<string> {
  const founders = ['alice', 'bob']
  return (await app.chat.log.createChat({ type: 'group', owner: 'alice', founders, historyVisibility })).chatId
}

const send = ({ app }: Service, chatId: string, content: string) => app.chat.log.append({ chatId, senderId: 'alice', content })

const takes = (receiver: Receiver, chatId: string, through: number) =>
  until(`${chatId} is told up to ${through}`, () => receiver.through.get(chatId) === through)

onEachDatabase('a hook', async (t, database) => {
  const { service, receiver, put } = await start(t, database)
  const { app, call } = service
  const old = await makeChat(service)
  await send(service, old, 'before')

  await t.test('is made, shown and changed; its secret is shown where it is made', async (t) => {
    t.match(await put('main'), { status: 201, body: { hook: { hookId: 'main', secret: RECEIVER_SECRET, disabledAt: null } } })
    const other = await call('PUT', '/hooks/other', { as, body: { url: receiver.url, events: ['member.unread'] } })
    t.match(other.body.hook.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    t.match(await call('GET', '/hooks/other', { as }), { status: 200, body: { hook: { secret: null, events: ['member.unread'] } } })
    t.match(await put('main'), { status: 200 })
    const { body } = await call('GET', '/hooks', { as })
    t.same(
      body.hooks.map(({ hookId, secret }: { hookId: string; secret: string | null }) => [hookId, secret]),
      [
        ['main', null],
        ['other', null],
      ],
    )
    t.match(await call('DELETE', '/hooks/other', { as }), { status: 200 })
    for (const [method, url] of [
      ['GET', '/hooks/other'],
      ['DELETE', '/hooks/other'],
      ['POST', '/hooks/other/replay'],
    ] as const) {
      t.match(await call(method, url, { as, ...(method === 'POST' && { body: {} }) }), { status: 404 }, `${method} ${url}`)
    }
    for (const body of [
      { url: 'ftp://a.example' },
      { url: 'http://user:pass@a.example' },
      { url: receiver.url, events: [] },
      { url: receiver.url, events: ['nothing'] },
      { url: receiver.url, secret: 'short' },
      { url: receiver.url, more: 1 },
      {},
    ]) {
      t.match(await call('PUT', '/hooks/wrong', { as, body }), { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } })
    }
  })

  await t.test('starts where the chats are, and is told what follows, as sync tells it', async (t) => {
    const { revision: head } = (await send(service, old, 'after')).message
    const chatId = await makeChat(service, 'joined')
    const { message } = await send(service, chatId, 'first')
    await app.chat.log.edit({ messageId: message.id, userId: 'alice', content: 'edited' } as never)
    await app.chat.log.addMembers(chatId, null, ['carol'])
    await takes(receiver, old, head)
    await takes(receiver, chatId, 4)
    t.match(receiver.changes(old)[0], { from: head, head, changes: [{ type: 'message_created', message: { content: 'after' } }] })
    t.equal(receiver.changes(chatId)[0]?.from, 1)
    const { body } = await call('POST', '/sync', { as, body: { chats: { [chatId]: 0 } } })
    await call('POST', '/hooks/main/replay', { as, body: { chatId } })
    receiver.told.length = 0
    await until('it is told again', () => receiver.changes(chatId).some(({ through }) => through === 4))
    t.same(receiver.changes(chatId).at(-1)?.changes, body.chats[chatId].changes.slice(-1 * (receiver.changes(chatId).at(-1)?.changes.length ?? 0)))
    t.same(receiver.faults, [])
  })
})
