import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../services/package-root.js'
import type { Mutant } from './mutants.js'

/** How often a mutant's text stands in its file. */
export function placesOf({ file, find }: Mutant): number {
  return readFileSync(join(packageRoot(), file), 'utf8').split(find).length - 1
}

/** Writes the simulator as one script, with a law broken in it; answers its path. */
export async function breakLaw({ file, find, replace }: Mutant, id: string): Promise<string> {
  const root = packageRoot()
  const outfile = join(root, 'dist/test/simulator/mutants', `${id}.js`)
  await build({
    absWorkingDir: root,
    entryPoints: ['test/simulator/worker.ts'],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    plugins: [
      {
        name: 'break',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const text = readFileSync(path, 'utf8')
            const contents = relative(root, path) === file ? text.replace(find, () => replace) : text
            return { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  return outfile
}
