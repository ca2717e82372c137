import t from 'tap'
import { API_KEY, onEachDatabase, SECRET } from '../helper.js'
import { startServer } from '../helpers/process.js'
import { program } from './program.js'

t.setTimeout(600_000)

onEachDatabase('load', async (t, { dataDir = '', databaseUrl = '' }) => {
  const secrets = { JWT_SECRET: SECRET, SERVICE_API_KEYS: API_KEY }
  const server = { ...secrets, DATA_DIR: dataDir, DATABASE_URL: databaseUrl, RATE_LIMIT: 'on', MAX_LOOP_DELAY_MS: '0' }
  const { url } = await startServer(t, server)
  const load = (args: string[], env: Record<string, string> = secrets) =>
    program(t, ['load', '--url', url, '--seconds', '2', ...args], { env })

  const calm = await load(['--users', '10', '--chats', '2', '--rate', '20', '--json'])
  t.match(calm, { code: 0 }, calm.stderr)
  const said = JSON.parse(calm.stdout)
  t.match(said, { ok: true, faults: [], refused: {}, unanswered: 0, lost: 0, doubled: 0, gone: {} })
  t.equal(said.acked, said.sent)
  t.equal(said.delivered, said.acked * 5, 'each reached the five of its chat')
  t.equal(said.delivery.count, said.acked * 4, 'of which four are others')
  const answer = await fetch(`${url}/chats`, { headers: { 'x-api-key': API_KEY } })
  const left = (await answer.json()) as { chats: unknown[] }
  t.same(left.chats, [], 'nothing is left behind')

  const hasty = await load(['--users', '2', '--chats', '1', '--rate', '80'])
  t.match(
    hasty,
    { code: 0, stdout: /^refused: \d+ RATE_LIMITED$[\s\S]*^✅ nothing was lost/m },
    'what is refused is not lost',
  )
  t.match(hasty.stdout, /^ {10} +count +p50 +p95 +p99 +max\nack +\d/m)

  const strange = await load([], { JWT_SECRET: API_KEY })
  t.match(strange, {
    code: 1,
    stdout: '',
    stderr: /❌ The server at \S+ does not take our credentials \(UNAUTHENTICATED\)/,
  })
  const half = await load(['--users', '2', '--chats', '1'], { ...secrets, JWT_SECRET: API_KEY })
  t.match(half, { code: 1, stdout: '', stderr: /❌ The server at \S+ does not take our tokens \(UNAUTHENTICATED\)/ })
})
