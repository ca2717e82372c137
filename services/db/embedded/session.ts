import { PGlite } from '@electric-sql/pglite'

const TERMINATE = 'X'.charCodeAt(0)
const ERROR_RESPONSE = 'E'.charCodeAt(0)
const STARTUP_HEAD_BYTES = 8
const NOT_SETTINGS = new Set(['user', 'database', 'replication', 'options'])

type StreamOptions = Parameters<PGlite['execProtocolRawStream']>[1]

/**
 * PGlite as pglite-socket should see it: a session of one connection at a time, from its startup packet to its end.
 *
 * PGlite has a single backend session, which knows no connections. Left alone, prepared statements, settings and half
 * a message cycle pass from one client to the next, and the settings in a startup packet are ignored. pglite-socket
 * lets nobody else in while `isInTransaction()`, so a session counts as a transaction: other connections wait for its
 * end, which leaves nothing behind.
 */
export class SessionPGlite extends PGlite {
  #inSession = false

  override isInTransaction(): boolean {
    return this.#inSession
  }

  override async execProtocolRawStream(message: Uint8Array, options: StreamOptions): Promise<void> {
    try {
      if (message[0] === 0) await this.#begin(message, options)
      else if (message[0] === TERMINATE) await this.#end()
      else if (this.#inSession) await super.execProtocolRawStream(message, options)
    } catch (error) {
      // pglite-socket's queue stands still for ever behind an error: the worker had better die and be noticed.
      setImmediate(() => {
        throw error
      })
    }
  }

  /** What pglite-socket calls for a client that left without a goodbye; it means to roll back. */
  override async exec(query: string, options?: Parameters<PGlite['exec']>[1]): ReturnType<PGlite['exec']> {
    if (query !== 'ROLLBACK') return super.exec(query, options)
    await this.runExclusive(() => this.#end())
    return []
  }

  async #begin(startup: Uint8Array, options: StreamOptions): Promise<void> {
    await this.#end()
    const settings = settingsOf(startup)
    const refusal = settings.length > 0 ? await this.#silently(simpleQuery(setAll(settings))) : null
    if (refusal) return options.onRawData(refusal)
    this.#inSession = true
    await super.execProtocolRawStream(startup, options)
  }

  // A client may have left behind an error (all is ignored until Sync), before its Sync, or in a transaction.
  async #end(): Promise<void> {
    if (!this.#inSession) return
    for (const message of [simpleQuery('ROLLBACK'), SYNC, simpleQuery('ROLLBACK')]) await this.#silently(message)
    const refusal = await this.#silently(simpleQuery('DISCARD ALL'))
    if (refusal) throw new Error(`The session cannot be cleaned: ${Buffer.from(refusal).toString('latin1')}`)
    this.#inSession = false
  }

  /** The error it was answered with, as sent; null without one. */
  async #silently(message: Uint8Array): Promise<Uint8Array | null> {
    const answer: Buffer[] = []
    await super.execProtocolRawStream(message, { onRawData: (data) => answer.push(Buffer.from(data)) })
    return errorIn(Buffer.concat(answer))
  }
}

const SYNC = Uint8Array.from([...Buffer.from('S'), 0, 0, 0, 4])

function simpleQuery(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`)
  const head = Buffer.from('Q\0\0\0\0')
  head.writeInt32BE(text.length + 4, 1)
  return new Uint8Array(Buffer.concat([head, text]))
}

function errorIn(answer: Buffer): Uint8Array | null {
  for (let at = 0; at < answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1)
    if (answer[at] === ERROR_RESPONSE) return new Uint8Array(answer.subarray(at, end))
    at = end
  }
  return null
}

function settingsOf(startup: Uint8Array): [name: string, value: string][] {
  const words = Buffer.from(startup.subarray(STARTUP_HEAD_BYTES)).toString().split('\0')
  const settings: [string, string][] = []
  for (let i = 0; words[i]; i += 2) {
    const [name = '', value = ''] = [words[i], words[i + 1]]
    if (name === 'options') settings.push(...commandLine(value))
    else if (!NOT_SETTINGS.has(name)) settings.push([name, value])
  }
  return settings
}

// `-c name=value`, `-cname=value` and `--name=value`, parted by spaces that no backslash precedes.
function commandLine(options: string): [name: string, value: string][] {
  const matches = options.matchAll(/(?<!\S)(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)/g)
  return [...matches].map(([, name = '', value = '']) => [name.replaceAll('-', '_'), value.replace(/\\(.)/g, '$1')])
}

function setAll(settings: [name: string, value: string][]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`
  const calls = settings.map(([name, value]) => `pg_catalog.set_config(${quote(name)}, ${quote(value)}, false)`)
  return `SELECT ${calls.join(', ')}`
}
