import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

interface Entry {
  default: string
}

t.test('the package holds what its exports name, and nothing else of ours', async (t) => {
  const cwd = packageRoot()
  // In a sandbox of tap's, npm would take the settings that it gave its child for ours.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd, env, encoding: 'utf8' }),
  ) as [{ files: { path: string }[] }]
  const files = pack.files.map(({ path }) => path)
  const { exports } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
    exports: Record<string, Entry | string>
  }

  const named = Object.values(exports).map((entry) => (typeof entry === 'string' ? entry : entry.default).slice(2))
  t.same(
    named.filter((name) => !files.includes(name)),
    [],
    'what exports name is there',
  )
  const forbidden = /(^|\/)(test|bench|examples|data|coverage|node_modules)\/|\.map$|(^|\/)\.|\.(tgz|pem|key|log)$/
  t.same(
    files.filter((name) => forbidden.test(name)),
    [],
    'no tests, benchmarks, examples, maps, data or dot files',
  )
  t.ok(files.includes('dist/vendor/fastify-socket.io.LICENSE'), 'the notice travels with the code')
  t.ok(files.includes('migrations/meta/_journal.json'))
  t.ok(files.includes('LICENSE'))
  t.same(files.filter((name) => /fastify-socket\.io/.test(name)).sort(), [
    'dist/vendor/fastify-socket.io.LICENSE',
    'dist/vendor/fastify-socket.io.js',
    'vendor/fastify-socket.io.d.ts',
  ])
})
