import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

/** Of the client: its entry and what that imports at once; what sends a file, and IndexedDB, are loaded when they are needed. */
const MOST_BYTES = 11_700
/** All of it, to the last file. */
const MOST_BYTES_IN_ALL = 13_200
const MOST_BYTES_OF_REACT = 1_536

/** Compressed, Socket.IO and React left out. */
t.test('the client is small', async (t) => {
  const source = join(packageRoot(), 'client/src')
  const { outputFiles, metafile } = await build({
    entryPoints: [join(source, 'index.ts'), join(source, 'react.ts')],
    outdir: '/dist',
    absWorkingDir: '/',
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['socket.io-client', 'react', './index.js'],
  })
  const bytesOf = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => {
      const { contents } = outputFiles.find((file) => file.path === `/${path}`) ?? {}
      return sum + gzipSync(contents ?? '', { level: 9 }).length
    }, 0)
  const atOnce = filesOf(metafile, 'index.ts', ['import-statement'])
  const all = filesOf(metafile, 'index.ts', ['import-statement', 'dynamic-import'])
  const ofReact = [...filesOf(metafile, 'react.ts', ['import-statement'])]
  const figures = { client: bytesOf(atOnce), inAll: bytesOf(all), react: bytesOf(ofReact) }
  t.comment(figures)
  t.equal(atOnce.size, 1, 'one file, and what is loaded later shares nothing with it')
  t.ok(all.size > atOnce.size && ofReact.length > 0)
  t.ok(figures.client <= MOST_BYTES, `at most ${MOST_BYTES} bytes`)
  t.ok(figures.inAll <= MOST_BYTES_IN_ALL, `at most ${MOST_BYTES_IN_ALL} bytes in all`)
  t.ok(figures.react <= MOST_BYTES_OF_REACT, `at most ${MOST_BYTES_OF_REACT} bytes for React`)
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('client/src/'))
  t.same(
    inputs.filter((path) => !path.includes('node_modules/idb-keyval/')),
    [],
    'nothing of the server is in it',
  )
})

/** The files that an entry needs by such imports. */
function filesOf({ outputs }: Metafile, entry: string, kinds: string[]): Set<string> {
  const first = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith(`client/src/${entry}`))
  const files = new Set(first ? [first] : [])
  for (const path of files)
    for (const { kind, path: next, external } of outputs[path]?.imports ?? [])
      if (!external && kinds.includes(kind)) files.add(next)
  return files
}
