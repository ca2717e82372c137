import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { fileOf } from './guard.js'
import { GUARDS } from './guards/index.js'
import { readPage } from './page.js'

// The run itself is long: npm run mutate. This keeps its table true to the code meanwhile.
t.test('each guard is where its row says, and so are the tests that miss it', async (t) => {
  const root = packageRoot()
  const names = GUARDS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length, 'each has a name of its own')
  for (const { name, file, find, replace, tests } of GUARDS) {
    const places = readFileSync(join(root, file), 'utf8').split(find).length - 1
    if (places !== 1) t.fail(`${name}: its text stands ${places} times in ${file}`)
    if (find === replace) t.fail(`${name}: it is not taken out`)
    if (tests.length === 0) t.fail(`${name}: no test misses it`)
    for (const test of tests) if (!existsSync(join(root, fileOf(test)))) t.fail(`${name}: there is no ${fileOf(test)}`)
  }
  const rows = [...readPage().keys()]
  t.same(
    rows.filter((name) => !names.includes(name) && name !== 'guard'),
    [],
    'docs/guards.md names no other',
  )
  t.same(
    names.filter((name) => !rows.includes(name)),
    [],
    'and each of them: npm run mutate -- --missing',
  )
})
