// Makes an example runnable here: packs both packages and installs them into its folder. `npm run examples:install -- host-app`.
// They are not in a registry yet, so a plain `npm install` there finds nothing (E404).
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { clientRoot, makeTarball, root, run } from './tarball.mjs'

const [name = ''] = process.argv.slice(2)
const folder = join(root, 'examples', name)
const file = join(folder, 'package.json')
if (name === '' || !existsSync(file)) {
  console.error('❌ Name an example that has a package.json: npm run examples:install -- host-app')
  process.exit(2)
}

const { dependencies = {}, scripts = {} } = JSON.parse(readFileSync(file, 'utf8'))
const sources = { 'chat-socket-service': root, 'chat-socket-client': clientRoot }
// Tarballs lie in node_modules, which git does not see, and are installed without a change of package.json.
const store = join(folder, 'node_modules/.packed')
const tarballs = []
for (const [dependency, from] of Object.entries(sources)) {
  if (!dependencies[dependency]) continue
  const { tarball } = makeTarball(from)
  mkdirSync(store, { recursive: true })
  copyFileSync(tarball, join(store, basename(tarball)))
  tarballs.push(join('node_modules/.packed', basename(tarball)))
}
run('npm', ['install', '--no-save', '--no-package-lock', ...tarballs], { cwd: folder })
if (scripts.build) run('npm', ['run', 'build'], { cwd: folder })
console.log(`✅ examples/${name} is installed and built: go on as its README says.`)
