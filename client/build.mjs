// Bundles the package into dist/: what it needs is inside, but Socket.IO and React; types beside. Run in any folder.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

const here = import.meta.dirname
const entries = ['src/index.ts', 'src/react.ts'].map((name) => join(here, name)).filter((name) => existsSync(name))

rmSync(join(here, 'dist'), { recursive: true, force: true })
await build({
  entryPoints: entries,
  outdir: join(here, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  // The hooks import the client's own file: a copy, or a third file that both share, would be more to load.
  external: ['socket.io-client', 'react', './index.js'],
  minifySyntax: true,
  logLevel: 'warning',
})
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.build.json')], { stdio: 'inherit' })
