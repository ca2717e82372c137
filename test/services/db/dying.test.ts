import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { openDatabase } from '../../../services/db/index.js'
import { tempDir } from '../../helper.js'
import { createDatabase, freePort, needsPostgres } from '../../helpers/postgres.js'

const READY = Buffer.from('Z\0\0\0\x05I')
const FIELDS = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** What a server says that is going away. */
function fatal(): Buffer {
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(FIELDS.length + 4, 1)
  return Buffer.concat([head, Buffer.from(FIELDS)])
}

// What broke: PostgreSQL was killed while a node opened connections, and one of them said so in the same packet as that it was ready: the node ended.
t.test('a connection that dies in the moment it is opened ends nothing', needsPostgres, async (t) => {
  const url = new URL(await createDatabase(t))
  const sockets = new Set<Socket>()
  let isDying = true
  const server = createServer((client) => {
    const upstream = connect(Number(url.port), url.hostname)
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      const isReady = chunk.subarray(-READY.length).equals(READY)
      client.write(isReady && isDying ? Buffer.concat([chunk, fatal()]) : chunk)
    })
    upstream.on('end', () => client.end())
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const databaseUrl = Object.assign(new URL(url), { port: String(port) }).href
  const db = await openDatabase({ databaseUrl, dataDir: tempDir(t), logger: quiet })
  t.teardown(() => db.close())
  for (let i = 0; i < 5; i += 1) await t.rejects(db.pool.query('SELECT 1'))
  isDying = false
  t.same((await db.pool.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'and the next is as good as ever')
})
