// Packs the package and uses it as strangers do: what is in it, its types, its plugins, and a plain install by each npm.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkHover } from './hover.mjs'
import { makeTarball, root, run, tempFolder } from './tarball.mjs'

const NPM_VERSIONS = (process.argv[2] ?? '9,10,11').split(',').filter(Boolean)
const FORBIDDEN =
  /^dist\/(test|bench|examples)\/|\.map$|\.test\.|(^|\/)\.|\.env|\.pem$|\.key$|\.tgz$|^(data|examples|test|scripts)\/|^docs\/.*(?<!\.md)$/
const MOST_BYTES = 6_000_000

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const say = (text) => console.log(`✅ ${text}`)

function checkList({ files, bytes }) {
  const bad = files.filter((name) => FORBIDDEN.test(name))
  if (bad.length > 0) throw new Error(`the package holds what it should not: ${bad.join(', ')}`)
  const named = Object.values(manifest.exports).flatMap((entry) => Object.values(Object(entry)))
  const missing = named.filter((name) => name.startsWith('./') && !files.includes(name.slice(2)))
  if (missing.length > 0) throw new Error(`exports name what the package lacks: ${missing.join(', ')}`)
  if (bytes > MOST_BYTES) throw new Error(`the package has ${bytes} bytes`)
  say(`${files.length} files, ${Math.round(bytes / 1_000)} kB, nothing that should not be there`)
}

/** A consumer's folder with nothing but a name in it. */
function emptyProject(name) {
  const folder = tempFolder(name)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  return folder
}

/** What the README links to is there, but for what only the repository has. */
function checkLinks({ files }) {
  const links = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
    ([, to]) => to,
  )
  const isLost = (to) => !existsSync(join(root, to)) || (/^docs\/.*\.md$/.test(to) && !files.includes(to))
  if (links.some(isLost)) throw new Error(`the README links to what is not there: ${links.filter(isLost).join(', ')}`)
  say(`the README's ${links.length} links lead somewhere`)
}

/** What publint and "are the types wrong" find in the tarball; we are ESM alone, which CommonJS can require. */
function checkLint(tarball) {
  run('npx', ['--no-install', 'publint', 'run', tarball, '--strict'])
  run('npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only'])
  say('publint and attw have nothing to say')
}

/** On the oldest Node, where a dependency that wants a newer one would be told of. */
const ENGINE_STRICT = '--engine-strict'

function installWith(version, tarball) {
  const folder = emptyProject(`npm${version}`)
  // A preinstall of anything would find npx and pnpm here, and leave a trace.
  const traps = join(folder, 'traps')
  mkdirSync(traps)
  for (const name of ['npx', 'pnpm', 'only-allow']) {
    writeFileSync(join(traps, name), `#!/bin/sh\necho "$0 $*" >> ${folder}/trace\nexit 1\n`, { mode: 0o755 })
  }
  const npm = tempFolder(`npm${version}-itself`)
  run('npm', ['install', '--prefix', npm, '--no-save', `npm@${version}`])
  const cli = join(npm, 'node_modules/npm/bin/npm-cli.js')
  const used = run(process.execPath, [cli, '--version']).trim()
  const startedAt = Date.now()
  run(process.execPath, [cli, 'install', ENGINE_STRICT, tarball], {
    cwd: folder,
    env: { PATH: `${traps}:${process.env.PATH}` },
  })
  const seconds = Math.round((Date.now() - startedAt) / 1_000)
  if (existsSync(join(folder, 'trace'))) throw new Error(readFileSync(join(folder, 'trace'), 'utf8'))
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  const withScripts = Object.keys(packages).filter((path) => packages[path].hasInstallScript)
  if (withScripts.length > 0) throw new Error(`install scripts reach consumers: ${withScripts.join(', ')}`)
  if (Object.keys(packages).some((path) => path.endsWith('/fastify-socket.io')))
    throw new Error('fastify-socket.io does')
  const fastifies = Object.keys(packages).filter((path) => path.endsWith('node_modules/fastify'))
  if (fastifies.length !== 1) throw new Error(`fastify is there ${fastifies.length} times`)
  const started = `import chat from 'chat-socket-service'\nconsole.log(typeof chat)`
  if (run(process.execPath, ['--input-type=module', '-e', started], { cwd: folder }).trim() !== 'function') {
    throw new Error('the plugin cannot be imported')
  }
  const required = `console.log(typeof require('chat-socket-service').default)`
  if (run(process.execPath, ['--input-type=commonjs', '-e', required], { cwd: folder }).trim() !== 'function') {
    throw new Error('the plugin cannot be required')
  }
  say(`npm ${used}: a plain install in ${seconds} s, ${Object.keys(packages).length - 1} packages, no script`)
}

/** Our declarations compile by themselves, without skipLibCheck; the tables' are Drizzle's, which do not. */
function checkDeclarations(folder) {
  const dev = ['typescript', '@types/node'].map((name) => `${name}@${manifest.devDependencies[name]}`)
  run('npm', ['install', ...dev], { cwd: folder })
  const names = Object.keys(manifest.exports).filter((name) => !['./schema', './package.json'].includes(name))
  const imports = names.map((name, i) => `import * as x${i} from 'chat-socket-service${name.slice(1)}'\nvoid x${i}\n`)
  writeFileSync(join(folder, 'all.ts'), imports.join(''))
  const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', lib: ['es2023'], types: ['node'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['all.ts'] }))
  run('npx', ['tsc', '-p', '.'], { cwd: folder })
  say(`the declarations of ${names.length} exports are without a fault, not skipping any`)
  checkHover(folder)
  say('an editor shows Message, and not all that is in it')
}

/** The service for the tests of an app, as one of them would use it. */
function checkTesting(folder) {
  const code = `import { build } from 'chat-socket-service/testing'
const service = await build()
const headers = { authorization: 'Bearer ' + service.token('ann', { name: 'Ann' }), 'content-type': 'application/json' }
const body = JSON.stringify({ type: 'group', memberIds: [] })
const answer = await fetch(service.url + '/chats', { method: 'POST', headers, body })
console.log(answer.status, (await answer.json()).chat.myRole)
await service.close()`
  const said = run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder }).trim()
  if (said !== '201 owner') throw new Error(`a test of an app said: ${said}`)
  say('build() of chat-socket-service/testing works')
}

function checkTypes(folder) {
  const consumer = join(root, 'test/package/consumer')
  cpSync(consumer, folder, { recursive: true })
  const dev = ['typescript', 'socket.io-client'].map((name) => `${name}@${manifest.devDependencies[name]}`)
  run('npm', ['install', ...dev, `@types/node@${manifest.devDependencies['@types/node']}`], { cwd: folder })
  const strict = { strict: true, noEmit: true, skipLibCheck: true, target: 'es2022', lib: ['es2023'], types: ['node'] }
  const resolutions = {
    NodeNext: { module: 'nodenext', moduleResolution: 'nodenext', outDir: 'out', noEmit: false },
    bundler: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'] },
  }
  for (const [name, options] of Object.entries(resolutions)) {
    // Each file by itself: what one imports must not help another.
    for (const file of readdirSync(consumer)) {
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }),
      )
      run('npx', ['tsc', '-p', '.'], { cwd: folder })
    }
    say(`types fit under ${name}: ${readdirSync(consumer).join(', ')}`)
  }
  writeFileSync(
    join(folder, 'alone.js'),
    `import { start } from './out/plugins.js'\nconsole.log(await start('./data'))`,
  )
  const said = run(process.execPath, ['alone.js'], { cwd: folder }).trim()
  if (said !== 'test 1 user /socket.io') throw new Error(`the plugins alone said: ${said}`)
  say('the plugins work each by itself')
}

try {
  const packed = makeTarball()
  checkList(packed)
  checkLinks(packed)
  checkLint(packed.tarball)
  for (const version of NPM_VERSIONS) installWith(version, packed.tarball)
  const folder = emptyProject('types')
  run('npm', ['install', packed.tarball], { cwd: folder })
  checkDeclarations(folder)
  checkTesting(folder)
  checkTypes(folder)
} catch (error) {
  console.error(`❌ ${error.message}`)
  process.exitCode = 1
}
