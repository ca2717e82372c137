import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, embeddedDir, onEachDatabase, SECRET } from '../helper.js'
import { freePort } from '../helpers/postgres.js'
import { program } from './program.js'

t.setTimeout(600_000)

t.test('token', async (t) => {
  const dataDir = await embeddedDir(t)
  const service = await build(t, { dataDir, nodeEnv: 'development', demoData: false, jwtSecret: undefined })
  const env = { DATA_DIR: dataDir }
  const get = (url: string, token: string) =>
    service.call('GET', url, { headers: { authorization: `Bearer ${token.trim()}` } })

  const user = await program(t, ['token', 'alice', '--days', '2'], { env })
  t.match(user, { code: 0, stderr: '', stdout: /^[\w-]+\.[\w-]+\.[\w-]+\n$/ })
  t.match(await get('/chats', user.stdout), { status: 200 }, 'the running server takes it')
  const asService = await program(t, ['token', '--service'], { env })
  t.match(await get('/chats/none/members', asService.stdout), { status: 404 })

  const strange = await program(t, ['token', 'alice'], { env: { ...env, JWT_SECRET: SECRET } })
  t.match(await get('/chats', strange.stdout), { status: 401 }, 'another secret makes another token')

  const production = { ...env, NODE_ENV: 'production', JWT_SECRET: SECRET }
  t.match(await program(t, ['token', 'alice'], { env: production }), {
    code: 1,
    stdout: '',
    stderr: /your own service makes them/,
  })
  for (const args of [[], ['a', 'b'], ['a', '--days', 'x'], ['a', '--admin']]) {
    t.match(
      await program(t, ['token', ...args], { env }),
      { code: 2, stdout: '', stderr: /^❌ \S+.*\.\n$/ },
      args.join(' '),
    )
  }
})

onEachDatabase('migrate', async (t, { dataDir = '', databaseUrl = '' }) => {
  const env = { DATA_DIR: dataDir, DATABASE_URL: databaseUrl, DATABASE_SCHEMA: 'chat' }
  for (const time of ['first', 'second']) {
    t.match(await program(t, ['migrate'], { env }), { code: 0, stdout: /is up to date\n$/, stderr: '' }, time)
  }
  const service = await build(t, { dataDir, databaseUrl: databaseUrl || undefined, databaseSchema: 'chat' })
  t.match(await service.call('GET', '/chats', { as: 'alice' }), { status: 200 })
})

// What broke: each of these was a raw stack.
t.test('what a command cannot do is one sentence', async (t) => {
  const nowhere = `postgres://chat:never-told@127.0.0.1:${await freePort()}/chat`
  const inFile = { DATA_DIR: join(packageRoot(), 'package.json') }
  for (const [name, args, env, sentence] of [
    ['token', ['alice'], inFile, /^❌ DATA_DIR \S+ is a file: choose a folder\.\n$/],
    ['token', ['alice'], { ...inFile, LOG_LEVEL: 'loud' }, /^❌ LOG_LEVEL must be one of .*\n$/],
    ['migrate', [], { ...inFile, JWT_SECRET: SECRET }, /^❌ DATA_DIR \S+ is a file: choose a folder\.\n$/],
    ['migrate', [], { DATABASE_URL: nowhere, JWT_SECRET: SECRET }, /^❌ No PostgreSQL listens at .*DATABASE_URL\.\n$/],
    ['import', ['--from', nowhere], inFile, /^❌ No PostgreSQL listens at .* in --from\.\n$/],
  ] as const) {
    const outcome = await program(t, [name, ...args], { env })
    t.match(outcome, { code: 1, stdout: '', stderr: sentence }, name)
    t.notMatch(outcome.stderr, /\n\s+at |never-told/)
  }
})
