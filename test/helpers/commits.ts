import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import type { Owner } from './postgres.js'

/** A commit before leases and the net, whose nodes have a bus; one whose nodes have none. */
export const OLDER = { bus: '2ccd4d9', noBus: '80180f6' }

/** The repository that this is a checkout of: where CI tests a clone, its whole history is there. */
const git = (args: string[], cwd = packageRoot()) => execFileSync('git', args, { cwd, maxBuffer: 256 * 1024 * 1024 })

/** A tap option that skips a test where a commit is not to be had, as in a shallow clone. */
export function needsCommit(commit: string) {
  try {
    git(['cat-file', '-e', `${commit}^{commit}`])
    return {}
  } catch {
    return { skip: `no commit ${commit}` }
  }
}

/** Builds the version of a commit in a folder of its own, with the packages of this one; answers its `server.js`. */
export function buildOlder(owner: Owner, commit: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-older-'))
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('tar', ['-x', '-C', folder], { input: git(['archive', commit]) })
  symlinkSync(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'))
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder })
  return join(folder, 'dist/server.js')
}
