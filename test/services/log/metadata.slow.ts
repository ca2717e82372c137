import fc from 'fast-check'
import { MAX_METADATA_BYTES } from '../../../contract/limits.js'
import { build, connect, onEachDatabase, until } from '../../helper.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7396, as its second section puts it. */
function merged(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const result: { [key: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '') },
  { weight: 1, arbitrary: fc.string({ maxLength: 3 }).filter((k) => !/[\0]/.test(k)) },
)
const scalar = fc.oneof(fc.constantFrom(null, true, false, '', 'x', 'Zoë "\\ \n\u0001👍', 1.5, 0), fc.integer())
/** Few keys, much null and much nesting: that is where the two meet. */
const document = fc.letrec<{ value: Json; object: { [key: string]: Json } }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { weight: 2, arbitrary: scalar },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: tie('object') },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}))

/** Without the order of keys, which JSON does not have. */
const sorted = (value: Json): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, v: Json) =>
      isObject(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v,
    ),
  )

onEachDatabase('metadata of chats', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob', 'carol'] })
  const { app, call } = service
  const { log } = app.chat
  const group = async (metadata?: Record<string, unknown>) =>
    (await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob'], metadata })).chatId
  const revisionOf = async (chatId: string) => (await log.getHeads([chatId])).get(chatId)
  const patch = (chatId: string, metadata: unknown, as = 'alice') =>
    call('PATCH', `/chats/${chatId}`, { as, body: { metadata } })

  await t.test('a patch does what RFC 7396 says, and a size is that of the JSON that is sent', async (t) => {
    await fc.assert(
      fc.asyncProperty(document.value, document.object, async (target, change) => {
        const [row] = await app.db.run<{ merged: Json; bytes: number }>(
          'test_merge',
          'SELECT log_merge_patch($1::jsonb, $2::jsonb) AS merged, log_json_bytes($1::jsonb) AS bytes',
          [JSON.stringify(target), JSON.stringify(change)],
        )
        t.strictSame(sorted(row?.merged ?? null), sorted(merged(target, change)))
        t.equal(row?.bytes, Buffer.byteLength(JSON.stringify(target)))
      }),
      { numRuns: 300 },
    )
  })

  await t.test('a chat is made with it, and it is told by every shape', async (t) => {
    const made = await call('POST', '/chats', {
      as: 'alice',
      body: { type: 'group', memberIds: ['bob'], metadata: { order: 7 } },
    })
    t.match(made, { status: 201, body: { chat: { metadata: { order: 7 } } } })
    const { chatId } = made.body.chat
    t.match(await call('GET', `/chats/${chatId}`, { as: 'bob' }), { body: { chat: { metadata: { order: 7 } } } })
    t.match(await call('GET', `/chats/${chatId}`, { as: 'service' }), { body: { chat: { metadata: { order: 7 } } } })
    const { session } = await connect(t, service, 'bob')
    t.same(session.chats.find((chat) => chat.chatId === chatId)?.metadata, { order: 7 })
    const plain = await group({})
    t.equal((await log.getChat(plain))?.metadata, null, 'nothing in it is none')
  })

  await t.test('a change is one revision that members hear; what is equal already is none', async (t) => {
    const chatId = await group({ a: 1, b: { c: [1, null] } })
    const { socket } = await connect(t, service, 'bob')
    const heard: { chatId: string; revision: number; metadata: unknown }[] = []
    socket.on('chat_updated', (chat) => heard.push(chat))
    t.match(await patch(chatId, { a: null, b: { d: 'x' } }), {
      status: 200,
      body: { chat: { metadata: { b: { c: [1, null], d: 'x' } } } },
    })
    await until('it is heard', () => heard.length > 0)
    t.match(heard, [{ chatId, revision: 2, metadata: { b: { c: [1, null], d: 'x' } } }])
    for (const same of [{}, { a: null }, { b: { d: 'x' } }, { b: { c: [1.0, null] } }]) {
      t.equal((await patch(chatId, same)).status, 200)
      t.equal(await revisionOf(chatId), 2)
    }
    t.match(await patch(chatId, null), { body: { chat: { metadata: null } } }, 'null takes all of it away')
    t.match(await patch(chatId, { b: null }), { status: 200, body: { chat: { metadata: null, revision: 3 } } })
    t.match(await patch(chatId, { x: 1 }, 'bob'), { status: 403 }, 'a member has no say')
  })

  await t.test('what comes of a patch has 4 KiB at most', async (t) => {
    const half = 'x'.repeat(MAX_METADATA_BYTES / 2 - 10)
    const chatId = await group({ a: half })
    const rest = MAX_METADATA_BYTES - Buffer.byteLength(JSON.stringify({ a: half, b: '' }))
    t.match(await patch(chatId, { b: 'y'.repeat(rest + 1) }), {
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: [{ path: '/metadata' }] } },
    })
    t.equal(await revisionOf(chatId), 1, 'nothing is kept of it')
    t.equal((await patch(chatId, { b: 'y'.repeat(rest) })).status, 200, 'to the byte')
    t.equal((await patch(chatId, { a: null, c: half })).status, 200, 'what goes makes room')
    t.equal((await patch(chatId, { c: 'z'.repeat(MAX_METADATA_BYTES) })).status, 400, 'nor has a patch more')
  })

  await t.test('of a direct chat both may set it, and nothing else; across a block only services', async (t) => {
    const { chatId } = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'carol'] })
    t.equal((await patch(chatId, { order: 1 }, 'carol')).status, 200)
    t.equal((await patch(chatId, { order: 1 }, 'bob')).status, 404)
    const mixed = await call('PATCH', `/chats/${chatId}`, {
      as: 'service',
      body: { title: 'x', metadata: { order: 2 } },
    })
    t.equal(mixed.status, 409)
    await log.setBlock('alice', 'carol', true)
    t.match(await patch(chatId, { order: 3 }, 'carol'), {
      status: 403,
      body: { error: { details: { reason: 'blocked' } } },
    })
    t.match(await patch(chatId, { order: 4 }, 'service'), { status: 200, body: { chat: { metadata: { order: 4 } } } })
    await log.setBlock('alice', 'carol', false)
  })

  await t.test('patches at once lose none of what the others said', async (t) => {
    const chatId = await group()
    await Promise.all(Array.from({ length: 12 }, (_, i) => patch(chatId, { [`k${i}`]: i }, 'service')))
    t.equal(Object.keys((await log.getChat(chatId))?.metadata ?? {}).length, 12)
    t.equal(await revisionOf(chatId), 13)
  })
})
