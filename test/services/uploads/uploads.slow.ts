import { existsSync, readdirSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { build, type DatabaseOptions, onEachDatabase, type Service, until } from '../../helper.js'
import { startS3 } from '../../helpers/s3.js'
import { type Begun, type Body, begin, type FileInput, get, put, take } from '../../helpers/uploads.js'

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200, 7)])

/** One store of files, behind a service with a group of alice, bob and carol. */
interface World {
  service: Service
  chatId: string
  isFolder: boolean
  /** The names under which bytes are kept, half ones too. */
  kept(): string[]
}

/** All files below a folder. */
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [entry.name] : [],
      )
    : []

async function open(
  t: Test,
  store: 'folder' | 'bucket',
  database: DatabaseOptions,
  settings: object = {},
): Promise<World> {
  const s3 = store === 'bucket' ? await startS3(t) : undefined
  const service = await build(t, {
    ...database,
    maxUploadBytes: 1_000_000,
    uploads: 'folder',
    ...s3?.settings,
    ...settings,
  })
  const people = { owner: 'alice', founders: ['alice', 'bob', 'carol'] }
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', ...people })
  const folder = join(service.app.chat.config.DATA_DIR, 'uploads')
  return {
    service,
    chatId,
    isFolder: !s3,
    kept: () => (s3 ? [...s3.objects.keys()].map((path) => path.replace(/^.*\//, '')) : filesIn(folder)),
  }
}

async function begun(world: World, as: string, file: FileInput = {}): Promise<Begun> {
  const { status, body } = await begin(world.service, as, world.chatId, file)
  if (status !== 201) throw new Error(`refused: ${JSON.stringify(body)}`)
  return body
}

/** Uploads a file, and has a message of its sender carry it. */
async function sent(world: World, as: string, bytes: Buffer | string, file: FileInput = {}) {
  const { service, chatId } = world
  const one = await begun(world, as, { size: bytes.length, ...file })
  const { status } = await put(service, one, bytes)
  if (status !== 200) throw new Error(`not uploaded: ${status}`)
  await service.app.chat.uploads.confirm(as, chatId, [one.attachment.id])
  const { message } = await service.app.chat.log.append({ chatId, senderId: as, content: 'see' })
  await take(service, one.attachment.id, message.id)
  return { id: one.attachment.id, message }
}

async function codeOf(response: Response): Promise<unknown[]> {
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code]
}

for (const store of ['folder', 'bucket'] as const) {
  onEachDatabase(`files of messages in a ${store}`, async (t, database) => {
    const world = await open(t, store, database)
    await t.test('go up, are seen by their sender, then by who sees the message', (t) => goTheirWay(t, world))
    await t.test('are whole, and what they were said to be', (t) => mustBeTrue(t, world))
    await t.test('end with their message, and with a membership', (t) => end(t, world))
    await t.test('are removed when no message carries them', (t) => beRemoved(t, world))
    await t.test('are begun by who may write, within limits', (t) => beBegun(t, world))
  })
}

async function goTheirWay(t: Test, world: World): Promise<void> {
  const { service, chatId, isFolder } = world
  const file = { name: 'Ünïcode "x".png', mimeType: 'image/png', size: PNG.length, width: 3, height: 4 }
  const one = await begun(world, 'alice', file)
  const { id } = one.attachment
  t.same(one.attachment, { id, ...file, durationMs: null })
  t.equal(one.upload.method, 'PUT')
  t.same(await codeOf(await get(service, 'alice', id)), [404, 'NOT_FOUND'], 'before there are bytes')
  t.equal((await put(service, one, PNG)).status, 200)
  t.equal((await get(service, 'alice', id)).status, 200, 'its sender sees it before it is sent')
  t.same(await codeOf(await get(service, 'bob', id)), [404, 'NOT_FOUND'], 'nobody else does')
  const again = await put(service, one, Buffer.alloc(PNG.length, PNG.subarray(0, 16)))
  t.equal(again.status, isFolder ? 409 : 412, 'bytes are put once')

  const { message } = await service.app.chat.log.append({ chatId, senderId: 'alice', content: 'see' })
  await take(service, id, message.id)
  const seen = await get(service, 'bob', id)
  t.equal(seen.status, 200)
  t.same(Buffer.from(await seen.arrayBuffer()), PNG, 'the first bytes')
  t.equal(seen.headers.get('content-type'), 'image/png')
  t.match(
    seen.headers.get('content-disposition'),
    /^inline; filename=".*"; filename\*=UTF-8''%C3%9Cn%C3%AFcode%20%22x%22\.png$/,
  )
  const part = await get(service, 'bob', id, { range: 'bytes=1-3' })
  t.same([part.status, await part.text(), part.headers.get('content-range')], [206, 'PNG', `bytes 1-3/${PNG.length}`])
  t.equal(
    (await service.call('GET', `/attachments/${id}`, { as: 'service' })).status,
    isFolder ? 200 : 302,
    'a service',
  )
  t.same(await codeOf(await get(service, 'dave', id)), [404, 'NOT_FOUND'], 'no member')
  t.equal((await fetch(`${service.url}/attachments/${id}`)).status, 401)
  if (isFolder) await lookAtHeaders(t, service, id, seen.headers)

  const html = await sent(world, 'alice', '<b>x</b>', { name: 'x.html', mimeType: 'text/html' })
  const svg = await sent(world, 'alice', '<svg/>', { name: 'x.svg', mimeType: 'image/svg+xml' })
  for (const { id } of [html, svg]) {
    t.match(
      (await get(service, 'bob', id)).headers.get('content-disposition'),
      /^attachment; filename="?x\./,
      'never inline',
    )
  }
}

async function lookAtHeaders(t: Test, service: Service, id: string, headers: Headers): Promise<void> {
  t.equal(headers.get('x-content-type-options'), 'nosniff')
  t.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox")
  t.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  t.equal(headers.get('cache-control'), 'private, no-cache')
  const etag = headers.get('etag') ?? ''
  // Node's fetch says no-cache with it, which asks for the bytes all the same.
  const known = await service.call('GET', `/attachments/${id}`, { as: 'bob', headers: { 'if-none-match': etag } })
  t.equal(known.status, 304)
  const other = { range: 'bytes=1-3', 'if-range': '"another"' }
  t.equal((await get(service, 'bob', id, other)).status, 200, 'a range of other bytes is no range of these')
  t.equal((await get(service, 'bob', id, { ...other, 'if-range': etag })).status, 206)
  t.same(await codeOf(await get(service, 'bob', id, { range: 'bytes=5000-' })), [416, 'VALIDATION_FAILED'])
}

async function mustBeTrue(t: Test, world: World): Promise<void> {
  const { service, isFolder, kept } = world
  const before = kept()
  const lies: [string, FileInput, Body, Record<string, string>?][] = [
    ['longer', {}, 'hello!'],
    ['shorter', {}, 'hell'],
    ['of another type', {}, 'hello', { 'content-type': 'text/html' }],
    ['no image', { mimeType: 'image/png', size: 200 }, Buffer.alloc(200, 1)],
    ['an SVG as an image', { mimeType: 'image/webp', size: 6 }, '<svg/>'],
  ]
  for (const [what, file, body, headers] of lies) {
    const one = await begun(world, 'alice', file)
    const answer = await put(service, one, body, headers)
    if (isFolder) t.same(await codeOf(answer), [400, 'VALIDATION_FAILED'], what)
    await service.app.chat.uploads.confirm('alice', world.chatId, [one.attachment.id])
    t.same(await codeOf(await get(service, 'alice', one.attachment.id)), [404, 'NOT_FOUND'], `${what}: is not found`)
    t.same(kept(), before, `${what}: leaves nothing behind`)
  }
  if (!isFolder) return

  const one = await begun(world, 'alice')
  t.same(await codeOf(await put(service, one, 'hello', { 'x-upload-token': 'x' })), [404, 'NOT_FOUND'], 'another token')
  const longer = new Blob(['hello', ' there']).stream()
  t.same(await codeOf(await put(service, one, longer)), [400, 'VALIDATION_FAILED'], 'longer, in chunks')
  await cut(service, one)
  await until('a cut upload leaves nothing behind', () => kept().length === before.length)
  t.equal((await put(service, one, 'hello')).status, 200, 'and may be begun again')

  const late = await begun(world, 'alice')
  await service.app.chat.db.run(
    'test_late',
    `UPDATE uploads SET created_at = created_at - interval '1 hour' WHERE id = $1`,
    [late.attachment.id],
  )
  t.same(await codeOf(await put(service, late, 'hello')), [404, 'NOT_FOUND'], 'expired')
  const foreign = { ...late, upload: { ...late.upload, url: late.upload.url.replace(/[^/]+$/, one.attachment.id) } }
  t.same(await codeOf(await put(service, foreign, 'hello')), [404, 'NOT_FOUND'], 'the token of another upload')
}

/** Sends half of a file, and goes. */
function cut({ url }: Service, { upload }: Begun): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), hostname, () => {
      const headers = Object.entries({ ...upload.headers, host: hostname, 'content-length': '5' })
      socket.write(
        `PUT ${upload.url} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\nhe`,
      )
      setTimeout(() => socket.destroy(), 200)
    })
    socket.once('close', () => resolve())
  })
}

async function end(t: Test, world: World): Promise<void> {
  const { service, chatId, kept } = world
  const { log, db } = service.app.chat
  const { id, message } = await sent(world, 'alice', 'hello')
  await log.removeMember(chatId, null, 'carol')
  t.same(await codeOf(await get(service, 'carol', id)), [404, 'NOT_FOUND'], 'who was removed')
  await log.addMembers(chatId, null, ['carol'])
  t.equal((await get(service, 'carol', id)).status, 200, 'who came back, where all history is seen')
  await log.updateChat(null, { chatId, historyVisibility: 'joined' })
  t.same(await codeOf(await get(service, 'carol', id)), [404, 'NOT_FOUND'], 'where it starts at the joining')
  t.equal((await get(service, 'bob', id)).status, 200)
  await log.updateChat(null, { chatId, historyVisibility: 'all' })

  await log.delete('alice', message.id)
  t.same(await codeOf(await get(service, 'bob', id)), [404, 'NOT_FOUND'], 'of a deleted message')
  t.same(await codeOf(await get(service, 'alice', id)), [404, 'NOT_FOUND'], 'for its sender, too')
  const other = await sent(world, 'alice', 'hello')
  await db.run('test_drop', 'UPDATE uploads SET dropped_at = clock_timestamp() WHERE id = $1', [id])
  // The log's own function will drop them; a deletion wakes the sweeper.
  await log.delete('alice', other.message.id)
  await until('its bytes are gone', () => !kept().includes(id))
  await until('and its row', async () => (await rowsOf(world, id)) === 0)
}

const rowsOf = async ({ service }: World, id: string): Promise<number> =>
  (await service.app.chat.db.run('test_rows', 'SELECT 1 FROM uploads WHERE id = $1', [id])).length

async function beRemoved(t: Test, world: World): Promise<void> {
  const { service, kept } = world
  const { db, uploads } = service.app.chat
  const young = await begun(world, 'alice')
  const old = await begun(world, 'alice')
  const carried = await sent(world, 'alice', 'hello')
  for (const one of [young, old]) t.equal((await put(service, one, 'hello')).status, 200)
  await db.run(
    'test_age',
    `UPDATE uploads SET created_at = created_at - interval '25 hours' WHERE id = ANY ($1::uuid[])`,
    [[old.attachment.id, carried.id]],
  )
  await uploads.sweep()
  t.notOk(kept().includes(old.attachment.id), 'after a day')
  t.equal(await rowsOf(world, old.attachment.id), 0)
  t.ok(kept().includes(young.attachment.id), 'not before')
  t.ok(kept().includes(carried.id), 'nor what a message carries')
}

async function beBegun(t: Test, world: World): Promise<void> {
  const { service, chatId } = world
  const { log } = service.app.chat
  const bad = (file: FileInput) => begin(service, 'alice', chatId, file)
  for (const name of ['../x', 'a/b', 'a\\b', '..', '.', 'a\0b', 'a\nb', ' ', '', 'a\u202egnp.exe', 'x'.repeat(256)]) {
    t.match(await bad({ name }), { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } }, JSON.stringify(name))
  }
  for (const mimeType of ['png', 'image/', 'IMAGE/PNG', 'text/plain; charset=utf-8', 'text/html\r\nx: y', '../x']) {
    t.match(await bad({ mimeType }), { status: 400, body: { error: { details: [{ path: '/mimeType' }] } } }, mimeType)
  }
  t.match(
    await bad({ size: 1_000_001 }),
    { status: 400, body: { error: { details: [{ path: '/size' }] } } },
    'too large',
  )
  t.match(await begin(service, 'dave', chatId), { status: 404 }, 'no member')
  await log.mute(chatId, null, 'bob', '2100-01-01T00:00:00.000Z')
  t.match(await begin(service, 'bob', chatId), { status: 403, body: { error: { details: { reason: 'muted' } } } })
  await log.updateChat(null, { chatId, isFrozen: true })
  t.match(await begin(service, 'carol', chatId), { status: 403, body: { error: { details: { reason: 'frozen' } } } })
  t.match(await begin(service, 'alice', chatId), { status: 201 }, 'the owner of a frozen chat')
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async () => (await begin(service, 'alice', chatId)).status),
  )
  t.equal(statuses.filter((status) => status === 409).length > 0, true, 'so many at once')
  const { rows } = await service.app.chat.db.pool.query(
    `SELECT count(*)::integer AS n FROM uploads WHERE user_id = 'alice' AND message_id IS NULL`,
  )
  t.equal(rows[0].n, 50, 'and not one more, however they race')
}
