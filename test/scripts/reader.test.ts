import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

interface Reader {
  take(line: string): void
  sum(): string
}

const { createReader } = (await import(`file://${join(packageRoot(), 'scripts/test/reader.mjs')}`)) as {
  createReader(options: { suites: number; say(line: string): void }): Reader
}

const TAP = `TAP version 14
1..3
# Subtest: dist/test/good.test.js
    # Subtest: of two
        ok 1 - one
        ok 2 - two
        1..2
    ok 1 - of two # time=1.5ms
    1..1
ok 1 - dist/test/good.test.js # time=1500ms
# Subtest: dist/test/bad.test.js
    # Subtest: outer
        # Subtest: inner
            not ok 1 - is so
              ---
              diff: |
                -2
                +1
              ...
            ok 2 - is fine
            1..2
        not ok 1 - inner # time=3ms
        1..1
    not ok 1 - outer # time=4ms
    ok 2 - elsewhere # SKIP no PostgreSQL
    1..2
not ok 2 - dist/test/bad.test.js # time=40ms
not ok 3 - dist/test/dead.test.js # time=7ms
  ---
  exitCode: 9
  ...
`

t.test('people get a line a file, and all of what failed', async (t) => {
  const said: string[] = []
  const reader = createReader({ suites: 3, say: (line) => said.push(line) })
  for (const line of TAP.split('\n')) reader.take(line)
  t.same(said, ['✓ 1/3 test/good.test.js (1.5 s)', '✗ 2/3 test/bad.test.js (0.0 s)', '✗ 3/3 test/dead.test.js (0.0 s)'])
  const sum = reader.sum().split('\n')
  t.ok(sum.includes('outer › inner › not ok 1 - is so'))
  t.ok(sum.includes('                +1'), 'with its difference')
  t.ok(sum.includes('  exitCode: 9'), 'a file that ended by itself says how')
  t.ok(sum.includes('– 1 skipped: no PostgreSQL'))
  t.equal(sum.at(-1), '❌ 3 files, 4 checks: 1 failed, in 2 files')
})
