// Builds, and is the program then, which without a command is the server: one process, so that a signal finds it at any moment.
import { stop } from 'esbuild'

await import('./build.mjs')
if (process.exitCode) process.exit()
await stop()
await import('../dist/cli/index.js')
