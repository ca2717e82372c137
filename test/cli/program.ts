import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import { tempDir } from '../helper.js'

/** How a program ended, and what it said. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** The folder in which it ran. */
  cwd: string
}

export interface ProgramOptions {
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** What is piped in. */
  input?: string
}

/** Runs the program as who installed it would, in an empty folder and with nothing of our own environment. */
export async function program(
  t: Parameters<typeof tempDir>[0],
  args: string[],
  { env = {}, cwd = tempDir(t), input }: ProgramOptions = {},
): Promise<Outcome> {
  const script = join(packageRoot(), 'dist/cli/index.js')
  const child = spawn(process.execPath, [script, ...args], { cwd, env: { PATH: process.env.PATH, ...env } })
  t.teardown(() => child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr, cwd }
}
