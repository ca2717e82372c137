import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { complaints } from './compile.js'
import { type Block, pages, root } from './markdown.js'
import { faultsOf } from './shell.js'

t.setTimeout(120_000)

/** Pages whose blocks another test runs, and which. */
const RUN_ELSEWHERE: Record<string, string> = { 'docs/client.md': 'test/client/react/guide.slow.ts' }
const COMPILED = ['js', 'ts', 'tsx']
const CHECKED = ['json', 'sh', 'sql', 'text', ...COMPILED]

const all = [...pages.values()].flatMap(({ blocks }) => blocks)
const isFragment = ({ words }: Block) => words.includes('fragment')
const checked = all.filter((block) => !isFragment(block) && !block.isGenerated && !(block.page in RUN_ELSEWHERE))
const inLanguage = (...languages: string[]) => checked.filter(({ language }) => languages.includes(language))
const blockOf = (language: string, code: string): Block => ({
  ...{ page: 'README.md', line: 1, words: [], isGenerated: false },
  ...{ language, code },
})

t.test('each block says what it is', async (t) => {
  t.ok(all.length > 60, `${all.length} blocks, of which ${all.filter(isFragment).length} are fragments`)
  const unknown = checked.filter(({ language }) => !CHECKED.includes(language))
  t.same(
    unknown.map(({ page, line, language }) => `${page}:${line}: nothing checks “${language}”: add “fragment”`),
    [],
  )
  for (const test of Object.values(RUN_ELSEWHERE)) t.match(readFileSync(join(root, test), 'utf8'), /docs\/client\.md/)
})

t.test('json parses', async (t) => {
  for (const { page, line, code } of inLanguage('json')) t.doesNotThrow(() => JSON.parse(code), `${page}:${line}`)
})

t.test('commands are of programs, scripts, files, routes and settings that there are', async (t) => {
  const wrong = [
    'npm run nothing',
    'nothing --at all',
    'PROT=3002 npm start',
    'curl localhost:3002/user/online',
    'node nothing.mjs',
    'TOKEN=$(npm run -s tokn -- alice) node client.mjs',
    'npx nothing',
    './nothing.sh',
  ]
  for (const line of wrong) t.equal(faultsOf(blockOf('sh', line)).length, 1, line)
  const right = [
    'PORT=0 npm start | psql',
    "curl 'localhost:3002/users/bob/status' && npm ci",
    'export JWT_SECRET=$(openssl rand -base64 48)',
  ]
  for (const line of right) t.same(faultsOf(blockOf('sh', line)), [], line)
  t.same(inLanguage('sh').flatMap(faultsOf), [])
})

t.test('TypeScript and JavaScript compile', async (t) => {
  const wrong = {
    ...blockOf('ts', "import { nothing } from 'chat-socket-service'\nconst one: string = 1\nconst = 2"),
    page: 'wrong.md',
  }
  const found = complaints([wrong, ...inLanguage(...COMPILED)])
  const isSeen = (line: string) => line.startsWith('wrong.md:')
  const places = new Set(found.filter(isSeen).map((line) => line.split(' ').slice(0, 2).join(' ')))
  t.same(places, new Set(['wrong.md:2: TS2614', 'wrong.md:3: TS2322', 'wrong.md:4: TS1134']))
  t.same(
    found.filter((line) => !isSeen(line)),
    [],
  )
})

t.test('PostgreSQL parses the SQL', async (t) => {
  const db = await PGlite.create()
  t.teardown(() => db.close())
  // A function of PL/pgSQL is parsed whole before its first statement, here the one that leaves it, is run.
  const parsed = (code: string) =>
    db.exec(`DO $block$ BEGIN RETURN; ${code.replace(/^\s*(BEGIN|COMMIT);$/gm, '')} END $block$`)
  await t.rejects(parsed('SELECT 1 FORM users;'))
  for (const { page, line, code } of inLanguage('sql')) await t.resolves(parsed(code), `${page}:${line}`)
})

t.test('the five lines are the same wherever they stand', async (t) => {
  const blocks = all.filter(({ words }) => words.includes('five-lines'))
  t.same(blocks.map(({ page }) => page).sort(), ['README.md', 'README.ru.md', 'client/README.md', 'docs/client.md'])
  t.equal(new Set(blocks.map(({ code }) => code)).size, 1)
})
