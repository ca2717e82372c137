import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

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

/**
 * Builds and packs the package, or the client's; answers the tarball and what is in it. CI, where nothing changes in between, names a folder in
 * TARBALLS that keeps them from one script to the next.
 */
export function makeTarball(from = root) {
  const shelf = process.env.TARBALLS
  const folder = shelf ? join(shelf, relative(root, from) || 'service') : tempFolder('tarball')
  const list = join(folder, 'pack.json')
  if (!existsSync(list)) {
    run('npm', ['run', 'build'], { cwd: from })
    mkdirSync(folder, { recursive: true })
    const text = run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: from })
    writeFileSync(list, text)
  }
  const [pack] = JSON.parse(readFileSync(list, 'utf8'))
  return { tarball: join(folder, pack.filename), files: pack.files.map(({ path }) => path), bytes: pack.size }
}

/** Where the client's package is. */
export const clientRoot = join(root, 'client')

export { root }
