import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDatabase } from '../../../services/db/index.js'
import { ask, build, connect, must, tempDir, until } from '../../helper.js'
import { copyTemplate } from '../../helpers/embedded.js'

const MB = 1_024 * 1_024
const SLACK_BYTES = 512 * MB

const freeIn = (dir: string) => {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

/** Fills a disk but for some bytes. */
function fill(path: string, left: number): void {
  const file = openSync(path, 'w')
  const chunk = Buffer.alloc(MB, 1)
  for (let free = freeIn(join(path, '..')); free > left; free -= MB) writeSync(file, chunk)
  closeSync(file)
}

// What broke: with a full disk 20 s of UNAVAILABLE and then the end of the process, in 2 of 2 runs.
async function fillsUp(t: Test, dataDir: string, minFreeBytes: number, leftBytes: number): Promise<void> {
  const ballast = join(dataDir, 'ballast')
  t.teardown(() => rmSync(ballast, { force: true }))
  const service = await build(t, { dataDir, minFreeBytes })
  const { socket: alice } = await connect(t, service, 'alice')
  const { chat } = await must(alice, 'create_chat', { type: 'direct', memberIds: ['bob'] })
  const { chatId } = chat
  const acked: string[] = []
  const codes = new Set<string>()
  async function send(): Promise<boolean> {
    const key = `key ${acked.length} ${codes.size}`
    const answer = await ask(alice, 'send_message', { chatId, content: 'x'.repeat(8_000), clientMessageId: key })
    if (answer.ok) acked.push(answer.data.message.id)
    else codes.add(answer.error.code)
    return answer.ok
  }
  t.ok(await send())

  fill(ballast, leftBytes)
  await until('the disk is full', async () => !(await send()))
  t.strictSame([...codes], ['STORAGE_FULL'])
  const headers = { as: 'alice', body: { chatId, content: 'x' } }
  const refused = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'x' } })
  t.match(refused, { status: 507, body: { error: { code: 'STORAGE_FULL', retryable: true, retryAfterMs: Number } } })
  t.notOk(refused.body.error.details, 'what was refused did not happen')
  t.match(await ask(alice, 'add_reaction', { messageId: acked[0] as string, emoji: '👍' }), {
    ok: false,
    error: { code: 'STORAGE_FULL' },
  })
  t.match(await service.call('POST', '/chats', { ...headers, body: { type: 'group', memberIds: [], title: 'x' } }), {
    status: 507,
  })
  await t.rejects(service.app.chat.users.revokeTokens('bob'), { code: 'STORAGE_FULL' }, 'the builder’s writes, too')
  t.equal((await must(alice, 'get_messages', { chatId })).messages.length, acked.length, 'reads go on')
  t.equal((await connect(t, service, 'bob')).session.chats.length, 1, 'and people come in')
  t.match(await service.call('GET', '/ready'), { status: 200 })
  t.match(await service.call('GET', '/health'), {
    status: 200,
    body: { status: 'degraded', checks: { database: { ok: true, isFull: true } } },
  })

  rmSync(ballast)
  await until('there is room again', send)
  t.equal((await must(alice, 'get_messages', { chatId, limit: 200 })).messages.length, acked.length)
  t.match(await service.call('GET', '/health'), { status: 200, body: { checks: { database: { isFull: false } } } })
  await service.host.close()

  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  await t.rejects(
    openDatabase({ dataDir, minFreeBytes: freeIn(dataDir) + SLACK_BYTES, logger }),
    { message: /^DATA_DIR \S+ has no room left: \d+ MB are free and \d+ MB are needed\. [^.]+\.$/ },
    'a start says so in a sentence',
  )
}

t.test('a disk that fills up to what is to be kept free', async (t) => {
  const dataDir = tempDir(t)
  await copyTemplate(dataDir)
  // Others write on this disk, too.
  const minFreeBytes = freeIn(dataDir) - SLACK_BYTES
  await fillsUp(t, dataDir, minFreeBytes, minFreeBytes - SLACK_BYTES)
})

t.test('a small disk, with the standard reserve', async (t) => {
  const dataDir = tempDir(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', dataDir], { stdio: 'ignore' })
  } catch {
    return t.comment('no disk can be mounted here')
  }
  t.teardown(() => execFileSync('umount', ['-l', dataDir]))
  await copyTemplate(dataDir)
  await fillsUp(t, dataDir, 64 * MB, 60 * MB)
})
