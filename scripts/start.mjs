// Builds, and is the server then: one process, so that a signal finds it at any moment.
import { stop } from 'esbuild'

await import('./build.mjs')
if (process.exitCode) process.exit()
await stop()
await import('../dist/server.js')
