import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { tempDir } from '../helper.js'

t.setTimeout(180_000)

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Runs a script as built, with nothing of our own environment. */
function runScript(name: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const script = join(packageRoot(), 'dist/scripts', `${name}.js`)
  return new Promise((resolve) => {
    const options = { cwd: packageRoot(), env: { PATH: process.env.PATH, ...env } }
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

t.test('demo', async (t) => {
  const { code, stdout, stderr } = await runScript('demo')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /Bob hears: {2}Lunch at one\?/)
  t.match(stdout, /users\/online {7}2: alice, bob/)
  t.match(stdout, /POST \/users\/status\/bulk {2}bob offline, carol offline/)
})

t.test('the generated docs are as the contract and the settings say', async (t) => {
  t.match(await runScript('docs', ['--check']), { code: 0, stderr: '' })
})

t.test('CI gets TAP as it is, and the exit code of tap', async (t) => {
  const root = packageRoot()
  const { HOME, PATH } = process.env
  const run = async (env: NodeJS.ProcessEnv) => {
    const args = [join(root, 'scripts/test.mjs'), 'dist/test/services/nearest.test.js']
    const child = spawn(process.execPath, args, { cwd: tempDir(t), env: { HOME, PATH, ...env } })
    let stdout = ''
    child.stdout.on('data', (data) => {
      stdout += data
    })
    const [code] = await once(child, 'close')
    return { code, stdout }
  }
  t.match(await run({ CI: 'true' }), {
    code: 0,
    stdout: /^TAP version 14\n[\s\S]*\nok 1 - dist\/test\/services\/nearest/,
  })
  t.match(await run({}), {
    code: 0,
    stdout: /^✓ 1\/1 test\/services\/nearest\.test\.js .*\n\n✅ 1 files, \d+ checks, none failed\n$/,
  })
})
