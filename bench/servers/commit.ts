// A bare commit: a row of a message's size inserted with `pg`, so many at a time; answers the times in ms.
import pg from 'pg'
import { spread } from '../lib/stats.js'

interface Call {
  id: number
  options: { inFlight: number; ms: number }
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 100 })
await pool.query('CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, content text NOT NULL)')
const content = 'x'.repeat(120)
const insert = { name: 'insert', text: 'INSERT INTO bare (content) VALUES ($1)', values: [content] }

async function run({ id, options }: Call): Promise<void> {
  const times: number[] = []
  const clients = await Promise.all(Array.from({ length: options.inFlight }, () => pool.connect()))
  const end = performance.now() + options.ms
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) {
        const startedAt = performance.now()
        await client.query(insert)
        times.push(performance.now() - startedAt)
      }
      client.release()
    }),
  )
  process.send?.({ id, result: { ...spread(times), perSecond: (times.length / options.ms) * 1_000 } })
}

process.on('message', (call: Call) => void run(call))
process.once('disconnect', () => process.exit())
