// Runs tap on the suites that are named, or on all: TAP for CI, and for people a line a file, with all of what failed at the end.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { createReader } from './test/reader.mjs'

const root = resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const tap = join(root, 'node_modules/.bin/tap')
// Who asks for a reporter of tap's own gets it.
const isRaw = process.env.CI === 'true' || args.some((arg) => /^(-R|--reporter)/.test(arg))

function countSuites() {
  const named = args.filter((arg) => arg.endsWith('.js'))
  if (named.length > 0) return named.length
  const all = readdirSync(join(root, 'dist/test'), { recursive: true })
  return all.filter((name) => name.endsWith('.test.js')).length
}

// A first run would still start each suite with the plugins that .taprc leaves out.
if (!existsSync(join(root, '.tap/plugins'))) spawnSync(tap, ['build'], { cwd: root, stdio: 'ignore' })

const child = spawn(tap, ['run', ...(isRaw ? [] : ['--reporter=tap']), ...args], {
  cwd: root,
  stdio: ['inherit', isRaw ? 'inherit' : 'pipe', 'inherit'],
})
// A terminal's Ctrl-C reaches tap, too, which ends its suites in order and would be cut short by a second one.
const PAUSE_MS = 1_000
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => setTimeout(() => child.kill(signal), PAUSE_MS).unref())
}

const say = (line) => process.stdout.write(`${line}\n`)
const reader = createReader({ suites: countSuites(), say })
if (child.stdout) createInterface({ input: child.stdout }).on('line', reader.take)
child.once('close', (code, signal) => {
  if (child.stdout) say(reader.sum())
  process.exitCode = code ?? (signal ? 1 : 0)
})
