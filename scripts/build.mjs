// Transpiles every .ts file into dist/ in the same layout, and bundles fastify-socket.io and the page beside them; the documents are copied.
// Only what changed is written, and by a rename, so building is safe while a server runs from dist/.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './page.mjs'

const root = resolve(import.meta.dirname, '..')
process.chdir(root)
const rooms = ['bench', 'cli', 'client', 'conformance', 'contract', 'plugins', 'routes', 'scripts', 'services', 'test']
const files = (name) =>
  name.endsWith('.ts') ? [name] : readdirSync(name, { recursive: true }).map((path) => join(name, path))

// For the default platform, browser, esbuild puts "development" in the place of process.env.NODE_ENV.
const options = { format: 'esm', platform: 'node', target: 'node20', write: false, logLevel: 'error' }

async function transpile(sources) {
  const entryPoints = sources.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  const sourcemaps = { sourcemap: true, sourcesContent: false }
  const result = await build({ ...options, ...sourcemaps, entryPoints, outbase: '.', outdir: 'dist' })
  return result.outputFiles
}

async function bundleFastifySocketIO() {
  const home = 'node_modules/fastify-socket.io'
  const { version } = JSON.parse(readFileSync(`${home}/package.json`, 'utf8'))
  const notices = [`${home}/LICENSE`, `${home}/node_modules/fastify-plugin/LICENSE`]
  const result = await build({
    ...options,
    stdin: { contents: `export { default } from 'fastify-socket.io'`, resolveDir: root },
    outfile: 'dist/vendor/fastify-socket.io.js',
    bundle: true,
    external: ['fastify', 'socket.io'],
    banner: {
      js: `// fastify-socket.io ${version} and its fastify-plugin, MIT licensed: see fastify-socket.io.LICENSE
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)`,
    },
  })
  const contents = Buffer.concat(notices.filter((name) => existsSync(name)).map((name) => readFileSync(name)))
  return [...result.outputFiles, { path: resolve('dist/vendor/fastify-socket.io.LICENSE'), contents }]
}

/** What the service serves as it is committed: its documents, and the colours of their page. */
function copyDocuments() {
  return ['docs/openapi.json', 'docs/asyncapi.json', 'web/theme.css'].map((name) => ({
    path: resolve('dist/documents', basename(name)),
    contents: readFileSync(name),
  }))
}

function write({ path, contents }) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}.new`, contents)
  renameSync(`${path}.${process.pid}.new`, path)
}

function removeStale(outputs) {
  const kept = new Set(outputs.map(({ path }) => path))
  for (const entry of readdirSync('dist', { recursive: true, withFileTypes: true })) {
    const path = resolve(entry.parentPath, entry.name)
    const current = kept.has(path.replace(/\.d\.ts$/, '.js')) || path.endsWith('.new')
    if (entry.isFile() && !current) rmSync(path, { force: true })
  }
}

async function run() {
  const sources = ['app.ts', 'server.ts', 'testing.ts', ...rooms].filter((name) => existsSync(name)).flatMap(files)
  const outputs = (
    await Promise.all([transpile(sources), bundleFastifySocketIO(), buildPage(), copyDocuments()])
  ).flat()
  outputs.forEach(write)
  removeStale(outputs)
}

await run().catch((error) => {
  if (!error.errors) console.error(error)
  process.exitCode = 1
})
