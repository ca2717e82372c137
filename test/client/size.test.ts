import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'

/** What a page loads of the client, Socket.IO and React left out, compressed. */
const MOST_BYTES = 12_900

t.test('the client is small', async (t) => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(packageRoot(), 'client/src/index.ts')],
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['socket.io-client'],
  })
  const bytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
  t.comment(`${bytes} bytes`)
  t.ok(bytes <= MOST_BYTES, `at most ${MOST_BYTES} bytes`)
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('client/src/'))
  t.same(
    inputs.filter((path) => !path.includes('node_modules/idb-keyval/')),
    [],
    'nothing of the server is in it',
  )
})
