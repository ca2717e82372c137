// Makes a site of docs/ (docs/site/README.md); with --serve shows it, too.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const site = resolve(import.meta.dirname, '../docs')
const installed = join(site, 'node_modules/.package-lock.json')
const lock = join(site, 'package-lock.json')

function run(program, ...args) {
  const { status } = spawnSync(program, args, { cwd: site, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  run('npm', 'ci', '--no-audit', '--no-fund', '--prefer-offline')
}
const vitepress = join(site, 'node_modules/vitepress/bin/vitepress.js')
run(process.execPath, vitepress, 'build', '.')
process.stdout.write('The site is in docs/dist.\n')
if (process.argv.includes('--serve')) run(process.execPath, vitepress, 'preview', '.')
