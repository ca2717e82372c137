import { diskFault, folderRefusal } from '../refusals/folder.js'
import { causes, Refusal } from '../refusals/refusal.js'
import { sqlState } from './errors.js'

/** The oldest PostgreSQL that the migrations run on. */
export const LEAST_VERSION = 15

/** A database that a start or a script was told to use, and the name of the setting that told it. */
export interface Place {
  /** Unset, the embedded database in `dataDir`. */
  databaseUrl?: string | undefined
  dataDir: string
  setting?: string
}

/** A failure of opening or preparing a database as a refusal; what is no fault of the place stays as it is. */
export function databaseRefusal(error: unknown, place: Place): unknown {
  if (error instanceof Refusal) return error
  if (!place.databaseUrl) return embeddedRefusal(error, place.dataDir)
  const { databaseUrl, setting = 'DATABASE_URL' } = place
  const names = namesIn(databaseUrl)
  const sentence = refusedBy(error, names, setting) ?? unreached(error, names.where, setting)
  return sentence === undefined ? error : new Refusal(sentence, { code: 'DATABASE_UNUSABLE', cause: error })
}

function embeddedRefusal(error: unknown, dataDir: string): unknown {
  if (sqlState(error) !== '53100') return folderRefusal(error, dataDir)
  return folderRefusal(
    Object.assign(new Error('disk full', { cause: error }), { code: 'ENOSPC', syscall: 'write' }),
    dataDir,
  )
}

interface Names {
  where: string
  user: string
  database: string
}

/** What a sentence may say of a URL: all but the password and the parameters. */
function namesIn(databaseUrl: string): Names {
  if (!URL.canParse(databaseUrl)) return { where: 'its host', user: 'its user', database: 'its database' }
  const url = new URL(databaseUrl)
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname)
  const port = url.searchParams.get('port') ?? (url.port || '5432')
  return {
    where: `${host || 'localhost'}:${port}`,
    user: url.username ? `the user "${decodeURIComponent(url.username)}"` : 'the user that is not named',
    database: `the database "${decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username)}"`,
  }
}

/** What PostgreSQL has answered. */
function refusedBy(error: unknown, { where, user, database }: Names, setting: string): string | undefined {
  const state = sqlState(error)
  if (state === undefined) return undefined
  const [message = ''] = [...causes(error)].flatMap((e) => ('severity' in e ? [e.message] : []))
  const sentences: Record<string, string> = {
    '28P01': `PostgreSQL at ${where} does not take the password of ${user}: correct it in ${setting}.`,
    '28000': `PostgreSQL at ${where} does not let ${user} in (${message}): correct ${setting}, or allow it in pg_hba.conf.`,
    '3D000': `PostgreSQL at ${where} does not have ${database}: create it, or correct ${setting}.`,
    '42501': `PostgreSQL at ${where} does not give ${user} the rights of a start (${message}): grant CREATE on ${database}, or on its schema if that is there already.`,
    '53300': `PostgreSQL at ${where} has no connection free: raise its max_connections, or stop what uses them.`,
    '57P03': `PostgreSQL at ${where} is starting or stopping: try again in a moment.`,
    '53100': `PostgreSQL at ${where} has a full disk: make room there.`,
    '25006': `PostgreSQL at ${where} can only be read, as a standby: name its primary in ${setting}.`,
  }
  return sentences[state] ?? `PostgreSQL at ${where} refuses what a start needs (${state}, ${message}).`
}

const TLS_FAULT = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

/** Why PostgreSQL was not reached, or what was reached is none. */
function unreached(error: unknown, where: string, setting: string): string | undefined {
  const wrong = `correct host and port in ${setting}`
  const nobody = `No PostgreSQL listens at ${where}: start it, or ${wrong}.`
  const silent = `Nothing answers at ${where}: ${wrong}, or let the firewall pass it.`
  const stranger = `What listens at ${where} does not answer as PostgreSQL does: ${wrong}.`
  const unknown = `The host of ${where} is a name that nobody knows: ${wrong}.`
  const byCode: Record<string, string> = {
    ECONNREFUSED: nobody,
    ENOTFOUND: unknown,
    EAI_AGAIN: unknown,
    ETIMEDOUT: silent,
    EHOSTUNREACH: silent,
    ENETUNREACH: silent,
    ECONNRESET: stranger,
    EPIPE: stranger,
    ERR_INVALID_URL: `${setting} is no URL: write postgres://user:password@host:5432/database, with # / ? @ and % in the password as %23 %2F %3F %40 and %25.`,
    ERR_INVALID_ARG_TYPE: `${setting} is no URL of a database: write postgres://user:password@host:5432/database.`,
  }
  const byMessage: [RegExp, string][] = [
    [
      /password must be a (non-empty )?string/,
      `PostgreSQL at ${where} asks for a password, and ${setting} has none: put it there.`,
    ],
    [/does not support SSL/, `PostgreSQL at ${where} has no TLS: turn it on there, or take sslmode out of ${setting}.`],
    [
      /timeout (expired|exceeded)/,
      `Nothing answers at ${where}, or not as PostgreSQL does: ${wrong}, or let the firewall pass it.`,
    ],
    [/Connection terminated|unexpected|unrecognized|Unknown authenticationOk/i, stranger],
  ]
  for (const { code = '', message, syscall, path } of causes(error)) {
    if (code === 'ENOENT' || code === 'EACCES') {
      return syscall === 'connect' ? nobody : `${setting} names a file that cannot be read (${path}): correct its path.`
    }
    if (TLS_FAULT.test(code))
      return `The certificate of PostgreSQL at ${where} is not to be trusted (${code}): name its CA by sslrootcert in ${setting}.`
    const sentence = byCode[code] ?? byMessage.find(([pattern]) => pattern.test(message))?.[1]
    if (sentence !== undefined) return sentence
  }
  return diskFault(error) === undefined
    ? undefined
    : `PostgreSQL at ${where} cannot be reached (${diskFault(error)}): ${wrong}.`
}
