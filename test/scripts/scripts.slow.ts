import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

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
