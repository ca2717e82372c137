import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, onEachDatabase, SECRET, type Service, tempDir, until } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'
import { RECEIVER_SECRET, type Receiver, serveReceiver } from '../../helpers/receiver.js'

const as = 'service'
const FOUNDERS = { type: 'group', owner: 'alice', founders: ['alice', 'bob'] } as const

const send = ({ app }: Service, chatId: string) => app.chat.log.append({ chatId, senderId: 'alice', content: 'a' })
const takes = (receiver: Receiver, chatId: string, through: number) =>
  until(`it is told up to ${through}`, () => receiver.through.get(chatId) === through)

t.test('one node tells the hooks, and another when its connection or it ends', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const receiver = await serveReceiver(t)
  const nodes = [await build(t, { databaseUrl }), await build(t, { databaseUrl })] as const
  const [a, b] = nodes
  const leaders = () => nodes.filter(({ app }) => app.chat.outbox.isLeading())
  const { chatId } = await a.app.chat.log.createChat({ ...FOUNDERS, founders: [...FOUNDERS.founders] })
  await a.call('PUT', '/hooks/main', { as, body: { url: receiver.url, secret: RECEIVER_SECRET } })
  await b.call('PUT', '/hooks/main', { as, body: { url: receiver.url, secret: RECEIVER_SECRET } })
  await until('one leads', () => leaders().length === 1)
  let revision = 1
  for (const node of [a, b]) {
    await send(node, chatId)
    revision += 1
    await takes(receiver, chatId, revision)
  }

  for (let round = 0; round < 2; round += 1) {
    const [killed] = await a.app.db.run<{ count: number }>(
      'test_kill',
      "SELECT count(pg_terminate_backend(pid))::integer FROM pg_stat_activity WHERE application_name = 'chat hooks' AND datname = current_database() AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)",
      [],
    )
    t.equal(killed?.count, 1, 'the connection of who leads is killed')
    await Promise.all(nodes.map((node) => send(node, chatId)))
    revision += 2
    await takes(receiver, chatId, revision)
    await until('one leads', () => leaders().length === 1)
  }

  const [leader] = leaders()
  const other = nodes.find((node) => node !== leader)
  receiver.respond = (response) => void sleep(50).then(() => response.writeHead(200).end())
  if (!leader || !other) throw new Error('one leads')
  const sends = Promise.all(Array.from({ length: 50 }, () => send(other, chatId)))
  await leader.host.close()
  await sends
  revision += 50
  await takes(receiver, chatId, revision)
  await send(other, chatId)
  await takes(receiver, chatId, revision + 1)
  await until('the other leads', other.app.chat.outbox.isLeading)
  t.same(receiver.faults, [])
})

onEachDatabase('what was not taken before a stop is told after the next start', async (t, database) => {
  const receiver = await serveReceiver(t)
  const port = Number(new URL(receiver.url).port)
  const settings = { ...database, webhookUrl: receiver.url, webhookSecret: RECEIVER_SECRET }
  const first = await build(t, settings)
  t.match((await first.call('GET', '/hooks/settings', { as })).body.hook, { url: receiver.url, secret: null, lag: 0 })
  const { chatId } = await first.app.chat.log.createChat({ ...FOUNDERS, founders: [...FOUNDERS.founders] })
  await takes(receiver, chatId, 1)
  await receiver.close()
  for (let i = 0; i < 5; i += 1) await send(first, chatId)
  await first.host.close()

  const again = await serveReceiver(t, { port })
  again.through.set(chatId, 1)
  await build(t, settings)
  await takes(again, chatId, 6)
  t.match(again.changes(chatId), [{ from: 2, through: 6, head: 6 }])
  t.same([...receiver.faults, ...again.faults], [])
})

t.test('settings that cannot be are refused', async (t) => {
  const wrong = async (t: Test, settings: object, sentence: RegExp) =>
    t.rejects(build(t, { dataDir: tempDir(t), ...settings }), sentence)
  await wrong(t, { webhookUrl: 'http://127.0.0.1:9/' }, /WEBHOOK_SECRET must be set with WEBHOOK_URL/)
  await wrong(t, { webhookUrl: 'ftp://a.example', webhookSecret: RECEIVER_SECRET }, /WEBHOOK_URL must be a URL as/)
  const production = { nodeEnv: 'production', jwtSecret: SECRET, webhookSecret: RECEIVER_SECRET } as const
  await wrong(t, { ...production, webhookUrl: 'http://a.example/' }, /WEBHOOK_URL must be https in production/)
})
