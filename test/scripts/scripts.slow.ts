import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { tempDir } from '../helper.js'

t.setTimeout(600_000)

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

/** What a clone holds, with what `npm ci` brings. */
function makeClone(t: Test): string {
  const [root, clone] = [packageRoot(), tempDir(t)]
  const names = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean)
  for (const name of names) cpSync(join(root, name), join(clone, name))
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  return clone
}

t.test('the first start of a clone builds it, and is a development server with its page', async (t) => {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: makeClone(t),
    env: { PATH: process.env.PATH, PORT: '0' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      said += data
    })
  }
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)))
    child.stdout.on('data', () => {
      const [, url] = /development server on (http:\S+)/.exec(said) ?? []
      if (url) resolve(url)
    })
  })
  t.match(await (await fetch(url)).text(), /<title>/)
  t.match(await (await fetch(`${url}/demo/tokens`)).json(), { alice: String, bob: String })
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
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
