import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LOCK_FILE } from '../../services/db/embedded/lock.js'
import { listenRefusal } from '../../services/refusals/listen.js'
import { tell } from '../../services/refusals/tell.js'
import { embeddedDir, SECRET, tempDir } from '../helper.js'
import { startInVain } from '../helpers/process.js'
import { refuses } from './refuses.js'

t.setTimeout(600_000)

const PRODUCTION: Record<string, string> = {}
/** Makes a secret of its own in the data folder. */
const DEVELOPMENT: Record<string, string> = { NODE_ENV: 'development', JWT_SECRET: '' }
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
/** What runs a command without root's right to read and write everything. */
const AS_ANYBODY = isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []

// What broke: each of these was a raw stack.
t.test('a data folder that is none, or lies under a file', async (t) => {
  const file = join(tempDir(t), 'file')
  writeFileSync(file, '')
  for (const mode of [PRODUCTION, DEVELOPMENT]) {
    await refuses(t, { ...mode, DATA_DIR: file }, /DATA_DIR \S+file is a file/)
    await refuses(t, { ...mode, DATA_DIR: join(file, 'data') }, /DATA_DIR \S+data lies under a file/)
  }
  await refuses(t, { TMPDIR: file }, /TMPDIR \S+file lies under a file/)
})

t.test('a data folder of somebody else', async (t) => {
  const dataDir = tempDir(t)
  if (isRoot) chownSync(dataDir, NOBODY, NOBODY)
  chmodSync(dataDir, isRoot ? 0o700 : 0o500)
  await refuses(t, { DATA_DIR: dataDir }, /DATA_DIR \S+ cannot be read and written by this user/, AS_ANYBODY)
})

// What tap loads into each process needs files of its own: these processes go without.
t.test('a disk without room', async (t) => {
  const small = (blocks: number) => ['sh', '-c', `ulimit -f ${blocks} && unset NODE_OPTIONS && exec "$@"`, 'sh']
  await refuses(t, DEVELOPMENT, /DATA_DIR \S+ may hold no file as large/, small(0))
  // PostgreSQL finds its files cut short, and says so of one of them.
  await refuses(t, PRODUCTION, /database in DATA_DIR \S+ does not start \(/, small(64))
  const folder = tempDir(t)
  if (!mounted(t, folder)) return t.comment('no disk can be mounted here')
  await refuses(t, { DATA_DIR: folder }, /DATA_DIR \S+ has no room left/)
  t.notOk(existsSync(join(folder, 'pgdata.new')), 'what was made of a database takes no room')
  writeFileSync(join(folder, 'fill'), Buffer.alloc(4_194_304), { flag: 'a' })
  await refuses(t, { ...DEVELOPMENT, DATA_DIR: folder }, /DATA_DIR \S+ has no room left/)
})

function mounted(t: Test, folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return false
  }
  // The folder itself goes later: what was registered last is taken down first.
  t.teardown(() => execFileSync('umount', ['-l', folder]))
  return true
}

t.test('a database of another version', async (t) => {
  const dataDir = await embeddedDir(t)
  writeFileSync(join(dataDir, 'pgdata/PG_VERSION'), '14\n')
  await refuses(t, { DATA_DIR: dataDir }, /does not start \(database files are incompatible with server\)/)
})

t.test('an address that cannot be listened on', async (t) => {
  const dataDir = await embeddedDir(t)
  const taken = net.createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await refuses(t, { DATA_DIR: dataDir, PORT: String(port) }, new RegExp(`Port ${port} of 127.0.0.1 is in use`))
  t.notOk(existsSync(join(dataDir, LOCK_FILE)), 'it has let go of its folder')
  await refuses(t, { DATA_DIR: dataDir, HOST: '192.0.2.1' }, /HOST 192.0.2.1 is no address of this machine/)
  await refuses(t, { DATA_DIR: dataDir, HOST: 'nobody.invalid' }, /HOST nobody.invalid is a name that/)
  // Where every port is free to everybody, as in some containers, no process can show it.
  const denied = listenRefusal(Object.assign(new Error('denied'), { code: 'EACCES' }), '127.0.0.1', 80)
  t.match(tell(denied, {}), /^❌ This user may not listen on port 80: .*\.\n$/)
})

t.test('few open files', async (t) => {
  for (const limit of [32, 64, 255]) {
    const few = ['sh', '-c', `ulimit -n ${limit} && unset NODE_OPTIONS && exec "$@"`, 'sh']
    await refuses(t, {}, /Too few files may be open at once .*ulimit -n/, few)
  }
  const spent = new Error('no query', { cause: Object.assign(new Error('open'), { code: 'EMFILE' }) })
  t.match(tell(spent, {}), /^❌ Too few files may be open at once \(EMFILE\): .*\.\n$/)
})

t.test('a .env that cannot be read', async (t) => {
  const cwd = tempDir(t)
  mkdirSync(join(cwd, '.env'))
  const { code, stderr } = await startInVain(t, {}, cwd)
  t.equal(code, 1)
  t.match(stderr, /^❌ The file \.env cannot be read: .*\.\n$/)
})

t.test('the stack comes when the environment asks for it, and without passwords', async (t) => {
  const env = { NODE_ENV: 'production', JWT_SECRET: SECRET, DATA_DIR: '/dev/null/none', LOG_LEVEL: 'debug' }
  const { code, stderr } = await startInVain(t, env, tempDir(t))
  t.equal(code, 1)
  t.match(stderr, /^❌ DATA_DIR [^\n]+\n.*\n\s+at /s)
  const told = tell(new Error('bad postgres://chat:never-told@db/chat'), { LOG_LEVEL: 'trace' })
  t.match(
    told,
    /^❌ Something unexpected ended it \(Error: bad postgres:\/\/chat:…@db\/chat\); LOG_LEVEL=debug shows where\.\n/,
  )
  t.match(told, /\n\s+at /)
  t.notMatch(told, /never-told/)
})
