import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** Runs a program; what it prints is shown only when it fails. */
export function run(command, args, { cwd = root, env = {} } = {}) {
  try {
    return execFileSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${error.stdout}${error.stderr}`)
  }
}

/** A folder that goes with the process. */
export function tempFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `chat-${name}-`))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Builds and packs the package, or the client's; answers the tarball and what is in it. */
export function makeTarball(from = root) {
  run('npm', ['run', 'build'], { cwd: from })
  const folder = tempFolder('tarball')
  const [pack] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: from }))
  return { tarball: join(folder, pack.filename), files: pack.files.map(({ path }) => path), bytes: pack.size }
}

/** Where the client's package is. */
export const clientRoot = join(root, 'client')

export { root }
