import pg from 'pg'
import { startPostgres } from '../../test/helpers/postgres.js'
import type { Owner } from './owner.js'

/** A PostgreSQL of the run's own, with fsync on; `url` is its database `postgres`. */
export interface Cluster {
  url: string
  pid: number
}

export const startCluster = (owner: Owner): Promise<Cluster> => startPostgres(owner)

let last = 0

/** A fresh database. */
export async function createDatabase(cluster: Cluster): Promise<string> {
  last += 1
  const name = `bench_${last}`
  await query(cluster.url, `CREATE DATABASE ${name}`)
  const url = new URL(cluster.url)
  url.pathname = name
  return url.href
}

/** Runs statements on a connection of their own; the rows of the last. */
export async function query<Row>(url: string, text: string, values?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text, values)).rows as Row[]
  } finally {
    await client.end()
  }
}
