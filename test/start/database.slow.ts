import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { freePort, needsPostgres, startPostgres } from '../helpers/postgres.js'
import { refuses } from './refuses.js'

t.setTimeout(600_000)

const urlOf = (port: number) => `postgres://chat:never-told@127.0.0.1:${port}/chat`

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const careless = (use: (socket: Socket) => void) => net.createServer((socket) => use(socket.on('error', () => {})))

// What broke: each of these was a raw stack.
t.test('a database that cannot be reached', async (t) => {
  const closed = await freePort()
  await refuses(t, { DATABASE_URL: urlOf(closed) }, new RegExp(`No PostgreSQL listens at 127.0.0.1:${closed}`))
  const nowhere = 'postgres://chat:never-told@nobody.invalid/chat'
  await refuses(t, { DATABASE_URL: nowhere }, /The host of nobody.invalid:5432 is a name that nobody knows/)
  // A # in a password begins a URL's fragment.
  await refuses(t, { DATABASE_URL: 'postgres://chat:never-told#1@db/chat' }, /DATABASE_URL is no URL: .*%23/)
  const file = 'sslmode=verify-full&sslrootcert=/nobody/ca.pem'
  await refuses(t, { DATABASE_URL: `${urlOf(closed)}?${file}` }, /DATABASE_URL names a file .*\/nobody\/ca.pem/)
})

t.test('what is no PostgreSQL', async (t) => {
  const servers = [
    createServer((_request, response) => response.end('hello')),
    careless((socket) => socket.destroy()),
    careless((socket) => socket.once('data', () => socket.end('-ERR unknown command\r\n'))),
    careless((socket) => socket.resume()),
  ]
  const sockets = new Set<Socket>()
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()))
  for (const server of servers) {
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await refuses(
      t,
      { DATABASE_URL: urlOf(await listen(t, server)) },
      /not answer as PostgreSQL does|Nothing answers at/,
    )
  }
})

t.test('a PostgreSQL that refuses', needsPostgres, async (t) => {
  const { url, dir } = await startPostgres(t)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  await admin.query(`CREATE ROLE chat LOGIN PASSWORD 'right-one'`)
  await admin.query('CREATE DATABASE chat')
  const { rows } = await admin.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
  const hba = join(dir, 'data/pg_hba.conf')
  writeFileSync(hba, `host all postgres all trust\nhost all all all scram-sha-256\n${readFileSync(hba, 'utf8')}`)
  await admin.query('SELECT pg_reload_conf()')
  const at = (user: string, path: string, port = new URL(url).port) => `postgres://${user}@127.0.0.1:${port}/${path}`

  const wrong = { DATABASE_URL: at('chat:never-told', 'chat') }
  await refuses(t, wrong, /does not take the password of the user "chat": correct it in DATABASE_URL/)
  await refuses(t, { DATABASE_URL: at('chat', 'chat') }, /asks for a password, and DATABASE_URL has none/)
  const elsewhere = { DATABASE_URL: at('chat:right-one', 'chit') }
  await refuses(t, elsewhere, /does not have the database "chit": create it/)
  const powerless = { DATABASE_URL: at('chat:right-one', 'chat') }
  await refuses(t, powerless, /does not give the user "chat" the rights .*grant CREATE/)
  await refuses(t, { ...powerless, DATABASE_SCHEMA: 'own' }, /does not give the user "chat" the rights .*grant CREATE/)

  const version = rows[0]?.version ?? ''
  const old = await listen(t, aged(Number(new URL(url).port), version, `14${version.slice(2)}`))
  const aging = { DATABASE_URL: at('postgres', 'chat', String(old)) }
  await refuses(t, aging, /leads to PostgreSQL 14, and version 15 or newer is needed/)
})

/** A server that passes everything on to another, and says that it is of an older version. */
function aged(port: number, version: string, older: string): Server {
  return careless((socket) => {
    const house = net.connect(port, '127.0.0.1').on('error', () => socket.destroy())
    socket.pipe(house)
    house.on('data', (data) => socket.write(data.toString('latin1').replaceAll(version, older), 'latin1'))
    house.on('end', () => socket.end())
  })
}
