import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

interface Locked {
  version?: string
  resolved?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  hasInstallScript?: boolean
}

// No registry says here which versions have advisories, so this list does; and what each of them mends.
const MINIMUM: Record<string, [version: string, why: string]> = {
  'socket.io': ['4.8.0', 'CVE-2024-38355: an unhandled error event'],
  'engine.io': ['6.6.9', 'CVE-2022-21676, CVE-2022-41940, CVE-2023-31125: uncaught exceptions'],
  'socket.io-parser': ['4.2.6', 'CVE-2022-2421, CVE-2023-32695, CVE-2026-33151: attachments without bounds'],
  ws: ['8.21.0', 'CVE-2024-37890, CVE-2026-45736, CVE-2026-48779: headers, and memory of tiny fragments'],
  fastify: ['5.8.1', 'CVE-2025-32442, CVE-2026-25223, CVE-2026-3419: validation passed by'],
  'fast-jwt': [
    '6.2.1',
    'CVE-2023-48223, CVE-2025-30144, CVE-2026-35039, CVE-2026-35041, CVE-2026-35042: tokens taken that are none',
  ],
  jsonwebtoken: ['9.0.0', 'CVE-2022-23539, CVE-2022-23540, CVE-2022-23541'],
  'drizzle-orm': ['0.45.2', 'CVE-2026-39356: injection through identifiers'],
  pg: ['8.0.0', 'CVE-2017-16082: code run from column names'],
}

/** Those that say they run something when they are installed, such as to count installations; .npmrc lets none of them. */
const SCRIPTS = ['node_modules/@scarf/scarf', 'node_modules/esbuild', 'node_modules/fastify-socket.io']

const { packages } = JSON.parse(readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>
}
/** Our own client, which stands in a folder here and is linked to: nothing of it is fetched. */
const OURS = ['client', 'node_modules/chat-socket-client']
const locked = Object.entries(packages).filter(([path]) => path !== '' && !OURS.includes(path))
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** Whether a version is at least another; one before a release is below it. */
function isAtLeast(version: string, minimum: string): boolean {
  const [release = '', ...pre] = version.split('-')
  const parts = (text: string) => text.split('.').map(Number)
  const wanted = parts(minimum)
  for (const [i, part] of parts(release).entries()) if (part !== wanted[i]) return part > (wanted[i] ?? 0)
  return pre.length === 0
}

t.test('no version of a dependency is one that has a known hole', async (t) => {
  t.same(
    [
      isAtLeast('1.10.0', '1.9.9'),
      isAtLeast('1.9.9', '1.9.9'),
      isAtLeast('1.9.8', '1.9.9'),
      isAtLeast('2.0.0-rc.1', '2.0.0'),
    ],
    [true, true, false, false],
  )
  for (const [name, [minimum, why]] of Object.entries(MINIMUM)) {
    for (const [path, { version = '' }] of locked.filter(([path]) => nameOf(path) === name)) {
      t.ok(isAtLeast(version, minimum), `${path} ${version} ≥ ${minimum}: ${why}`)
    }
  }
  const missing = Object.keys(MINIMUM).filter((name) => !locked.some(([path]) => nameOf(path) === name))
  t.same(missing, ['jsonwebtoken'], 'which are not here at all')
})

t.test('what is installed is what was locked, from the registry, and runs nothing', async (t) => {
  const paths = (fits: (entry: Locked) => unknown) => locked.filter(([, entry]) => fits(entry)).map(([path]) => path)
  t.same(
    paths(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? '')),
    [],
    'each has its hash',
  )
  // Without `resolved`, npm asks the registry that it is set to; with one it would go where that says.
  t.same(
    paths(({ resolved, link }) => resolved !== undefined || link),
    [],
    'none has an address of its own',
  )
  t.same(
    paths(({ hasInstallScript }) => hasInstallScript),
    SCRIPTS,
  )
  t.match(readFileSync(join(packageRoot(), '.npmrc'), 'utf8'), /^ignore-scripts=true$/m)
})
