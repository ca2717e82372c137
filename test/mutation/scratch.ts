import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import { fileOf, type Guard } from './guard.js'

/** What became of a test: whether it ended well, and how many of its assertions passed and failed. */
export interface Outcome {
  isRed: boolean
  passed: number
  failed: number
  said: string
}

const PATIENCE_MS = 240_000

/** A copy of the tree as it lies here, to be broken; its tests share what is costly to make, unless that is what is broken. */
export function createScratch() {
  const root = packageRoot()
  // Not 0700: PostgreSQL runs as somebody else.
  const home = mkdtempSync(join(tmpdir(), 'chat-mutate-'))
  chmodSync(home, 0o755)
  const tree = join(home, 'tree')
  const temp = join(home, 'tmp')
  mkdirSync(temp)
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  for (const path of list.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    cpSync(join(root, path), join(tree, path))
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  build()

  function build(): void {
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: tree, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  async function run(test: string, isAlone: boolean): Promise<Outcome> {
    const [, ...names] = test.split(' > ')
    const child = spawn(process.execPath, [join('dist', fileOf(test).replace(/\.ts$/, '.js'))], {
      cwd: tree,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        TMPDIR: temp,
        TAP_TIMEOUT: String(PATIENCE_MS / 2_000),
        // As a child of a runner, a test takes the database that its siblings have made.
        ...(!isAlone && { TAP_CHILD_ID: '0' }),
        // Quietly: otherwise tests that share their options are all skipped with the first of them.
        ...(names.length > 0 && { TAP_GREP: names.map(toPattern).join('\n'), TAP_FILTER_QUIETLY: '1' }),
      },
    })
    const end = () => {
      try {
        process.kill(-(child.pid as number), 'SIGKILL')
      } catch {
        // It is gone already.
      }
    }
    const timer = setTimeout(end, PATIENCE_MS)
    process.once('exit', end)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data))
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    process.off('exit', end)
    return { isRed: code !== 0, passed: count(said, /^ *ok /), failed: count(said, /^ *not ok /), said }
  }

  return {
    run,

    /** Takes a guard out and runs its tests, as far as they are green with it, until one is red. */
    async without(
      { file, find, replace, tests }: Guard,
      isGreen: (test: string) => Promise<boolean>,
    ): Promise<{ test: string; outcome: Outcome } | null> {
      const green: string[] = []
      for (const test of tests) if (await isGreen(test)) green.push(test)
      const path = join(tree, file)
      const text = readFileSync(path, 'utf8')
      writeFileSync(
        path,
        text.replace(find, () => replace),
      )
      try {
        build()
        for (const test of green) {
          const outcome = await run(test, file.startsWith('migrations/'))
          if (outcome.isRed) return { test, outcome }
        }
        return null
      } finally {
        writeFileSync(path, text)
        build()
      }
    },

    remove: (): void => rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }),
  }
}

/** Assertions of a TAP stream; a test that holds others is their sum, and says how long it took. */
const count = (tap: string, what: RegExp): number =>
  tap.split('\n').filter((line) => what.test(line) && !/ # (time=|SKIP)/.test(line)).length

const toPattern = (name: string): string => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
