import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openFolder } from '../../../services/uploads/folder.js'
import { build, embeddedDir, tempDir } from '../../helper.js'
import { begin, put } from '../../helpers/uploads.js'

const ID = '0190d3a0-0000-7000-8000-0000000000ab'

t.test('what a crash left in the folder is removed', async (t) => {
  const folder = tempDir(t)
  const file = (...path: string[]) => join(folder, ...path)
  mkdirSync(file('tmp'))
  mkdirSync(file('ab'))
  writeFileSync(file('tmp', 'half'), 'x')
  writeFileSync(file('ab', ID), 'x')
  const options = { folder, minFreeBytes: 0, urlOf: (id: string) => id }
  const shared = await openFolder({ ...options, isAlone: false })
  t.ok(existsSync(file('tmp', 'half')), 'which may be of another process')
  const asked: string[][] = []
  await shared.tidy(async (ids) => {
    asked.push(ids)
    return ids
  })
  t.ok(existsSync(file('tmp', 'half')), 'and is young')
  t.same([asked, existsSync(file('ab', ID))], [[[ID]], false], 'a file without a row goes')
  const long = new Date(Date.now() - 600_000)
  utimesSync(file('tmp', 'half'), long, long)
  await shared.tidy(async () => [])
  t.notOk(existsSync(file('tmp', 'half')), 'a half that grows no more goes')

  writeFileSync(file('tmp', 'half'), 'x')
  await openFolder({ ...options, isAlone: true })
  t.notOk(existsSync(file('tmp', 'half')), 'who has the folder alone knows at the start')
})

t.test('without room nothing is taken, and nothing is left', async (t) => {
  const claims = { id: ID, name: 'a', mimeType: 'text/plain', size: 5 }
  const folder = tempDir(t)
  const store = await openFolder({ folder, minFreeBytes: 2 ** 52, urlOf: String, isAlone: true })
  async function* bytes() {
    yield Buffer.from('hello')
  }
  await t.rejects(async () => void (await store.receive?.(claims, bytes())), { code: 'STORAGE_FULL' })
  t.equal(await store.isWhole(claims), false)
})

t.test('where nothing is uploaded', async (t) => {
  const service = await build(t, { uploads: 'off' })
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', owner: 'alice', founders: ['alice'] })
  t.match(await begin(service, 'alice', chatId), { status: 409, body: { error: { code: 'CONFLICT' } } })
})

t.test('a host hands in its own URLs', async (t) => {
  const asked: unknown[] = []
  const service = await build(t, {
    dataDir: await embeddedDir(t),
    presign(request) {
      asked.push(request)
      return { url: `${service.url}/live`, headers: { 'x-own': 'yes' } }
    },
  })
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', owner: 'alice', founders: ['alice'] })
  const { body } = await begin(service, 'alice', chatId)
  t.same(body.upload.headers, { 'x-own': 'yes' })
  t.match(asked, [{ method: 'PUT', id: body.attachment.id, size: 5, mimeType: 'text/plain', expiresInMs: 3_600_000 }])
  const own = {
    ...body,
    upload: { ...body.upload, url: `/attachments/${body.attachment.id}`, headers: { 'x-upload-token': 'x' } },
  }
  t.equal((await put(service, own, 'hello')).status, 404, 'then no bytes come here')
})
