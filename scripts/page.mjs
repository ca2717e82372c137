// The page, the widget and the page's service worker, built by Vite from web/ and what it takes of client/; nothing is built while its sources are as they were.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const FOLDER = 'dist/web'
// Beside the folder that is served.
const STAMP = 'dist/page.sha256'
const SOURCES = ['web', 'client', 'contract']

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/node_modules|\/dist\/|\.md$/.test(path))
    .sort()

function hashSources() {
  const hash = createHash('sha256')
  for (const path of [...SOURCES.flatMap(filesOf), 'package-lock.json', 'scripts/page.mjs']) {
    hash.update(path).update('\0').update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex')
}

/** The files of the page, as `{ path, contents }`. */
export async function buildPage() {
  const stamp = hashSources()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp && existsSync(join(FOLDER, 'index.html'))) {
    return [...filesOf(FOLDER), STAMP].map((path) => ({ path: resolve(path), contents: readFileSync(path) }))
  }
  const files = (await bundle()).map(({ fileName, code, source }) => ({
    path: resolve(FOLDER, fileName),
    contents: Buffer.from(code ?? source),
  }))
  // Last, so that it never stands for a page that was written in part.
  return [...files, { path: resolve(STAMP), contents: Buffer.from(stamp) }]
}

async function bundle() {
  const { NODE_ENV, VITE_USER_NODE_ENV } = process.env
  // Vite takes a second to load: only who builds pays for it.
  const { build } = await import('vite')
  const configFile = resolve('web/vite.config.mjs')
  const page = await build({ configFile, build: { write: false } })
  // The widget is one classic script: that needs no permission of the service's to be loaded by another site.
  const lib = {
    entry: resolve('web/widget/element.ts'),
    name: 'ChatRoom',
    formats: ['iife'],
    fileName: () => 'chat-room.js',
  }
  const [widget] = await build({ configFile, build: { write: false, lib } })
  // Service workers are classic scripts, too, and their URL stays the same: a browser compares what it finds there.
  const ofWorker = {
    entry: resolve('web/worker/push-worker.ts'),
    formats: ['iife'],
    name: 'PushWorker',
    fileName: () => 'push-worker.js',
  }
  const [worker] = await build({ configFile, build: { write: false, lib: ofWorker } })
  // Vite sets what is not set, and `npm start` goes on as the server in this process: it would start in production.
  for (const [name, value] of Object.entries({ NODE_ENV, VITE_USER_NODE_ENV })) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  return [...page.output, ...widget.output, ...worker.output]
}
