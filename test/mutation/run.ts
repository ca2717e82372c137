import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../services/package-root.js'
import type { Guard } from './guard.js'
import { GUARDS } from './guards/index.js'
import { readPage, type Seen, writePage } from './page.js'
import { createScratch } from './scratch.js'

const QUICK = 3

const { values } = parseArgs({
  options: {
    list: { type: 'boolean' },
    quick: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    missing: { type: 'boolean' },
    verbose: { type: 'boolean' },
  },
})

/** A few guards, other ones every day. */
function sample(): Guard[] {
  const day = Math.floor(Date.now() / 86_400_000)
  return Array.from({ length: QUICK }, (_, i) => GUARDS[(day * QUICK + i) % GUARDS.length] as Guard)
}

function chosen(): Guard[] {
  if (values.quick) return sample()
  if (values.missing) {
    const rows = readPage()
    return GUARDS.filter(({ name }) => !rows.has(name))
  }
  const only = values.only
  return only ? GUARDS.filter(({ name }) => only.some((part) => name.includes(part))) : GUARDS
}

async function mutate(guards: Guard[]): Promise<boolean> {
  const findings: string[] = []
  const seen = new Map<string, Seen>()
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const finding = (text: string) => {
    findings.push(text)
    say(`FINDING: ${text}`)
  }

  const scratch = createScratch()
  process.once('exit', scratch.remove)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

  /** Tests that were looked at with all guards in place, and whether they were green. */
  const control = new Map<string, boolean>()
  async function isGreen(test: string): Promise<boolean> {
    const known = control.get(test)
    if (known !== undefined) return known
    const { isRed, passed, said } = await scratch.run(test, false)
    control.set(test, !isRed && passed > 0)
    if (isRed) finding(`${test} is red with all guards in place\n${said.slice(-2_000)}`)
    else if (passed === 0) finding(`there is no test ${test}`)
    return !isRed && passed > 0
  }

  for (const guard of guards) {
    const { name, file, find } = guard
    const places = readFileSync(join(packageRoot(), file), 'utf8').split(find).length - 1
    if (places !== 1) {
      finding(`${name}: its text stands ${places} times in ${file}`)
      continue
    }
    const startedAt = performance.now()
    const red = await scratch.without(guard, isGreen)
    if (!red) {
      finding(`${name}: no test misses it (${guard.tests.join(', ')})`)
      continue
    }
    const { test, outcome } = red
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    say(`guard ${name}: red in ${test} (${outcome.failed} asserts, ${seconds} s)`)
    if (values.verbose)
      say(
        outcome.said
          .split('\n')
          .filter((line) => /not ok/.test(line))
          .join('\n'),
      )
    seen.set(name, { test, failed: outcome.failed, on: new Date().toISOString().slice(0, 10) })
    if (!values.quick) writePage(GUARDS, seen)
  }
  say(`${seen.size} of ${guards.length} guards are missed by a test, ${findings.length} findings`)
  return findings.length === 0
}

const guards = chosen()
if (values.list) {
  for (const { name, file, tests } of guards) process.stdout.write(`${name}\t${file}\t${tests.join(', ')}\n`)
} else if (guards.length === 0) {
  process.stderr.write('There is no such guard: npm run mutate -- --list names them all.\n')
  process.exitCode = 1
} else {
  process.exit((await mutate(guards)) ? 0 : 1)
}
