import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { SessionPGlite } from './session.js'

/** What the worker is started with; without a socket it only makes the database and ends. */
export interface WorkerTask {
  /** Where PGlite keeps its files; null for memory. */
  folder: string | null
  socket: string | null
}

// A chat's rows are few and recent: 16 MB keep them, PGlite's 128 MB cost a start 64 MB more.
const BUFFERS = 'shared_buffers=16MB'
// What PostgreSQL's own log keeps on the disk; its 1 GB would be most of the folder.
const WAL = ['-c', 'min_wal_size=32MB', '-c', 'max_wal_size=128MB']
// One is served and the others wait; the bound is against a client that keeps knocking.
const MAX_CONNECTIONS = 16
const LINES_KEPT = 20

const { folder, socket }: WorkerTask = workerData
const lines: string[] = []

const db = new SessionPGlite(folder ?? 'memory://', {
  startParams: [...PGlite.defaultStartParams, '-c', BUFFERS, ...WAL],
  initDbStartParams: ['-c', BUFFERS],
  onStderr: (line) => lines.push(line) > LINES_KEPT && lines.splice(0, 1).length > 0,
})

try {
  await db.waitReady
} catch (error) {
  throw new Error(`The embedded database does not start. ${lines.join('\n')}`.trim(), { cause: error })
}

if (socket) await serve(socket)
else await db.close()

async function serve(path: string): Promise<void> {
  const server = new PGLiteSocketServer({ db, path, maxConnections: MAX_CONNECTIONS })
  await server.start()
  parentPort?.on('message', async (message: 'ping' | 'close') => {
    if (message === 'ping') return parentPort?.postMessage('pong')
    await server.stop()
    await db.close()
    parentPort?.close()
  })
  parentPort?.postMessage('ready')
}
