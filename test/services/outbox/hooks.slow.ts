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

const send = ({ app }: Service, chatId: string, content: string) =>
  app.chat.log.append({ chatId, senderId: 'alice', content })

const takes = (receiver: Receiver, chatId: string, through: number) =>
  until(`${chatId} is told up to ${through}`, () => receiver.through.get(chatId) === through)

onEachDatabase('a hook', async (t, database) => {
  const { service, receiver, put } = await start(t, database)
  const { app, call } = service
  const old = await makeChat(service)
  await send(service, old, 'before')

  await t.test('is made, shown and changed; its secret is shown where it is made', async (t) => {
    t.match(await put('main'), {
      status: 201,
      body: { hook: { hookId: 'main', secret: RECEIVER_SECRET, disabledAt: null } },
    })
    const other = await call('PUT', '/hooks/other', { as, body: { url: receiver.url, events: ['member.unread'] } })
    t.match(other.body.hook.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    t.match(await call('GET', '/hooks/other', { as }), {
      status: 200,
      body: { hook: { secret: null, events: ['member.unread'] } },
    })
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
      t.match(
        await call(method, url, { as, ...(method === 'POST' && { body: {} }) }),
        { status: 404 },
        `${method} ${url}`,
      )
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
      t.match(await call('PUT', '/hooks/wrong', { as, body }), {
        status: 400,
        body: { error: { code: 'VALIDATION_FAILED' } },
      })
    }
  })

  await t.test('starts where the chats are, and is told what follows, as sync tells it', async (t) => {
    const { revision: head } = (await send(service, old, 'after')).message
    await takes(receiver, old, head)
    t.match(receiver.changes(old), [
      { from: head, through: head, head, changes: [{ type: 'message_created', message: { content: 'after' } }] },
    ])
    const chatId = await makeChat(service, 'joined')
    const { message } = await send(service, chatId, 'first')
    await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'edited' } })
    await app.chat.log.addMembers(chatId, null, ['carol'])
    await takes(receiver, chatId, 4)
    t.equal(receiver.changes(chatId)[0]?.from, 1)
    receiver.told.length = 0
    receiver.through.delete(chatId)
    t.match(await call('POST', '/hooks/main/replay', { as, body: { chatId } }), { status: 200 })
    await takes(receiver, chatId, 4)
    const { body } = await call('POST', '/sync', { as, body: { chats: { [chatId]: 0 } } })
    t.same(receiver.changes(chatId), [{ chatId, from: 1, through: 4, head: 4, changes: body.chats[chatId].changes }])
    t.match(receiver.told[0]?.headers, { 'content-type': 'application/json', 'webhook-id': /^msg_[\w-]{27}$/ })
  })

  await t.test('is told again from a revision on, in all chats, by other ids', async (t) => {
    const chatId = await makeChat(service)
    for (const content of ['a', 'b', 'c']) await send(service, chatId, content)
    await takes(receiver, chatId, 4)
    const ids = new Set(receiver.told.map(({ headers }) => headers['webhook-id']))
    receiver.told.length = 0
    receiver.through.clear()
    t.match(await call('POST', '/hooks/main/replay', { as, body: { fromRevision: 3 } }), { status: 200 })
    await takes(receiver, chatId, 4)
    t.match(receiver.changes(chatId), [{ from: 3, through: 4 }])
    t.notOk(receiver.told.some(({ headers }) => ids.has(headers['webhook-id'])))
    t.match(await call('POST', '/hooks/main/replay', { as, body: { chatId: 'none' } }), { status: 404 })
    await call('POST', '/hooks/main/replay', { as, body: { chatId, fromRevision: 100 } })
    await send(service, chatId, 'd')
    await takes(receiver, chatId, 5)
    t.match(receiver.changes(chatId).at(-1), { from: 5, through: 5 }, 'and nothing is passed over')
  })

  await t.test('is set back while it is being told, and nothing is passed over', async (t) => {
    // It may be the only test that is run.
    await put('main')
    const chatId = await makeChat(service)
    await takes(receiver, chatId, 1)
    const { respond } = receiver
    let release: (() => void) | undefined
    receiver.respond = (response) => {
      release = () => void response.writeHead(200).end()
    }
    await send(service, chatId, 'a')
    await until('it is being told', () => release !== undefined)
    t.match(await call('POST', '/hooks/main/replay', { as, body: { chatId } }), { status: 200 })
    receiver.respond = respond
    release?.()
    await until('it is told again', () =>
      receiver.changes(chatId).some(({ from, through }) => from === 1 && through === 2),
    )
  })

  await t.test('hears that a chat is deleted, and that changes are no longer kept', async (t) => {
    const [gone, lost] = [await makeChat(service), await makeChat(service)]
    await takes(receiver, lost, 1)
    receiver.respond = (response) => response.writeHead(500).end()
    for (let i = 0; i < 5; i += 1) await send(service, lost, `${i}`)
    await app.db.run('test_forget', 'DELETE FROM chat_log WHERE chat_id = $1 AND revision < 4', [lost])
    await call('DELETE', `/chats/${gone}`, { as })
    receiver.respond = (response) => response.writeHead(200).end('thank you')
    await until(
      'both are told',
      () => receiver.through.get(lost) === 6 && receiver.changes(gone).some((data) => data.gone),
    )
    t.match(receiver.changes(lost).at(-1), { from: 2, through: 6, head: 6, changes: [], reset: true })
    t.match(receiver.changes(gone).at(-1), { through: 4, head: 4, changes: [], gone: true })
  })

  t.same(receiver.faults, [], 'no hole, no wrong signature, and one request a chat at once')
})

onEachDatabase('what a hook wants to hear', async (t, database) => {
  const { service, receiver, put } = await start(t, database)
  const { app, call } = service
  const chatId = await makeChat(service)
  await put('edits', { events: ['message_updated', 'message.reported'] })

  await t.test('alone is told, and the numbers still have no hole', async (t) => {
    const { message } = await send(service, chatId, 'a')
    for (let i = 0; i < 3; i += 1) await send(service, chatId, 'b')
    await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'c' } })
    await takes(receiver, chatId, 6)
    await send(service, chatId, 'd')
    await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'e' } })
    await takes(receiver, chatId, 8)
    const all = receiver.changes(chatId)
    t.match(all[0], { from: 2 })
    t.same(new Set(all.flatMap(({ changes }) => changes.map(({ type }) => type))), new Set(['message_updated']))
    t.same(
      all.slice(1).map(({ from }) => from),
      all.slice(0, -1).map(({ through }) => through + 1),
    )
  })

  await t.test('may be what is in no chat: reports, and what is queued', async (t) => {
    const { message } = await send(service, chatId, 'bad')
    receiver.respond = (response) => response.writeHead(503).end()
    const body = { reason: 'spam', comment: 'look' }
    t.match(await call('POST', `/messages/${message.id}/report`, { as: 'bob', body }), { status: 200 })
    await app.chat.outbox.queue('member.unread', { userId: 'bob' })
    await put('unread', { events: ['member.unread'] })
    await app.chat.outbox.queue('member.unread', { userId: 'bob', total: 7 })
    await until('that fails first', async () => (await call('GET', '/hooks/edits', { as })).body.hook.failures > 0)
    receiver.respond = (response) => response.writeHead(204).end()
    const ofType = (type: string) => receiver.told.filter((told) => told.type === type)
    await until('both are told', () => ofType('message.reported').length + ofType('member.unread').length === 2)
    t.match(ofType('message.reported'), [
      { data: { message: { id: message.id }, reporter: { userId: 'bob' }, ...body, content: 'bad' } },
    ])
    t.match(ofType('member.unread'), [{ data: { userId: 'bob', total: 7 } }], 'only from when it asked on')
    await until(
      'nothing is kept',
      async () => (await app.db.run('test_left', 'SELECT 1 FROM hook_events', [])).length === 0,
    )
  })

  t.same(receiver.faults, [])
})

onEachDatabase('a hook that fails', async (t, database) => {
  const { service, receiver, put } = await start(t, database)
  const { app, call } = service
  const other = await serveReceiver(t)
  await put('main')
  await put('other', { url: other.url })
  const [good, bad] = [await makeChat(service), await makeChat(service)]

  await t.test('in one chat is told of the others, and another hook of all', async (t) => {
    let tries = 0
    receiver.respond = (response, { data }) => {
      const fails = data.chatId === bad && ++tries < 3
      response.writeHead(fails ? 500 : 200).end()
    }
    await send(service, bad, 'a')
    await send(service, good, 'a')
    await takes(receiver, good, 2)
    await takes(other, good, 2)
    await takes(other, bad, 2)
    await takes(receiver, bad, 2)
    t.equal(tries, 3)
  })

  await t.test('says so, until it is back', async (t) => {
    receiver.respond = (response) => response.writeHead(302, { location: other.url }).end()
    const { count } = other
    await send(service, good, 'b')
    const get = async () => (await call('GET', '/hooks/main', { as })).body.hook
    await until('it is told', async () => (await get()).lastFailure.includes('302'))
    t.match(await get(), { lag: 1, lastFailure: 'it answered 302, and redirects are not followed', oldestAt: /Z$/ })
    t.ok(other.count <= count + 1, 'no redirect is followed')
    const { body } = await call('GET', '/metrics', { as })
    t.match(body, /chat_hook_lag\{hook="main"\} 1/)
    t.match(body, /chat_hook_failures\{hook="main"\} [1-9]/)
    t.match(body, /chat_hook_posts_total\{hook="main",outcome="failed"\} [1-9]/)
    receiver.respond = (response) => response.writeHead(200).end()
    await takes(receiver, good, 3)
    await until('it is told', async () => (await get()).lag === 0)
    t.match(await get(), { failures: 0, oldestAt: null, lastSuccessAt: /Z$/ })
  })

  await t.test('with 410 is asked no more, until it is put again: then it has missed nothing', async (t) => {
    receiver.respond = (response) => response.writeHead(410).end()
    await send(service, good, 'c')
    await until('it is off', async () => (await call('GET', '/hooks/main', { as })).body.hook.disabledAt !== null)
    receiver.respond = (response) => response.writeHead(200).end()
    const { count } = receiver
    await send(service, good, 'd')
    await takes(other, good, 5)
    t.equal(receiver.count, count)
    t.match(await put('main'), { status: 200, body: { hook: { disabledAt: null } } })
    await takes(receiver, good, 5)
  })

  await t.test('with another secret, both sign; a hook that is deleted is told no more', async (t) => {
    const fresh = `whsec_${Buffer.from('another secret of 24 byte').toString('base64')}`
    const { Webhook } = await import('standardwebhooks')
    t.match(await put('main', { secret: fresh }), {
      status: 200,
      body: { hook: { secret: fresh, oldSecretUntil: /Z$/ } },
    })
    receiver.verifiers.push(new Webhook(fresh))
    await send(service, good, 'e')
    await takes(receiver, good, 6)
    await app.db.run(
      'test_age',
      "UPDATE hooks SET old_secret_until = now() - interval '1 second' WHERE id = 'main'",
      [],
    )
    receiver.verifiers.shift()
    await until('the old one has ended', async () => {
      // Of both, this one: what was still under way came after the count below.
      const { revision } = (await send(service, good, 'f')).message
      await takes(receiver, good, revision)
      await takes(other, good, revision)
      return String(receiver.told.at(-1)?.headers['webhook-signature']).split(' ').length === 1
    })
    t.match(await call('DELETE', '/hooks/main', { as }), { status: 200 })
    const { count } = receiver
    const { revision } = (await send(service, good, 'g')).message
    await takes(other, good, revision)
    t.equal(receiver.count, count)
    await until('nothing is kept of it', async () => {
      const rows = await app.db.run('test_keys', 'SELECT DISTINCT hook_key FROM hook_positions', [])
      return rows.length === 1
    })
  })

  t.same([...receiver.faults, ...other.faults], [])
})
