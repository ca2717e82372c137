import type { Config } from '../../plugins/config/settings.js'
import { lookAtFolder } from '../../services/db/embedded/look.js'
import { mustHaveRoom } from '../../services/db/embedded/room.js'
import { type DatabaseLook, lookAtDatabase } from '../../services/db/look.js'
import { LEAST_VERSION } from '../../services/db/refusals.js'
import { type Finding, findings } from './finding.js'
import { existing, mustBeWritable } from './folders.js'

const { fine, warning, wrong, skipped, thrown } = findings('database')
const clock = findings('clock')

/** More than this, and times of the database and of tokens disagree for all to see. */
const MOST_AHEAD_MS = 2_000

/** The database of the settings; of a PostgreSQL, what the bus has to know, too. */
export async function lookAtStore(config: Config): Promise<{ look: DatabaseLook | null; found: Finding[] }> {
  const { DATABASE_URL, DATABASE_SCHEMA } = config
  if (!DATABASE_URL) return { look: null, found: await lookAtEmbedded(config) }
  try {
    const look = await lookAtDatabase({ databaseUrl: DATABASE_URL, databaseSchema: DATABASE_SCHEMA })
    return { look, found: [...tellDatabase(look, DATABASE_SCHEMA), tellClock(look)] }
  } catch (error) {
    return { look: null, found: [...thrown(error), clock.skipped('the database has another: look again then')] }
  }
}

async function lookAtEmbedded({ DATA_DIR, MIN_FREE_BYTES, isProduction }: Config): Promise<Finding[]> {
  try {
    await mustBeWritable(DATA_DIR, 'DATA_DIR')
    const { isMade, heldBy } = await lookAtFolder(DATA_DIR)
    await mustHaveRoom(existing(DATA_DIR), MIN_FREE_BYTES, !isMade)
    const use =
      heldBy === null ? (isMade ? 'no process has it open' : 'a start makes it') : `process ${heldBy} has it open`
    return [
      fine(`embedded, in ${DATA_DIR}; ${use}`),
      ...(isProduction
        ? [warning('an embedded database survives a process that dies, and no power loss: set DATABASE_URL')]
        : []),
      clock.skipped('the embedded database has that of this machine'),
    ]
  } catch (error) {
    return thrown(error)
  }
}

function tellDatabase(look: DatabaseLook, schema: string): Finding[] {
  const { version, major, user, isReadOnly, hasSchema, mayCreate, ownsTables } = look
  const found = [
    major >= LEAST_VERSION
      ? fine(`PostgreSQL ${version}, as the user "${user}"`)
      : wrong(`PostgreSQL ${version}, and version ${LEAST_VERSION} or newer is needed: upgrade it, or name another.`),
  ]
  if (isReadOnly) found.push(wrong('It can only be read, as a standby: name its primary in DATABASE_URL.'))
  found.push(tellRights(schema, user, hasSchema, mayCreate, look.pending > 0))
  if (!ownsTables && look.pending > 0) {
    found.push(
      wrong(
        `The tables in the schema ${schema} are of another role than "${user}", and ${look.pending} migrations are to change them: start as their owner, or make "${user}" a member of that role.`,
      ),
    )
  }
  return [...found, tellMigrations(look)]
}

function tellRights(schema: string, user: string, hasSchema: boolean, mayCreate: boolean, isPending: boolean): Finding {
  if (mayCreate) return fine(hasSchema ? `may make tables in the schema ${schema}` : `may make the schema ${schema}`)
  const what = hasSchema
    ? `GRANT USAGE, CREATE ON SCHEMA ${schema} TO "${user}"`
    : `CREATE SCHEMA ${schema} AUTHORIZATION "${user}"`
  const sentence = `The user "${user}" may not make ${hasSchema ? `tables in the schema ${schema}` : `the schema ${schema}`}: let its owner run ${what}.`
  return isPending ? wrong(sentence) : warning(`${sentence} Until the next migration it is not needed.`)
}

function tellMigrations({ applied, pending, isNewer }: DatabaseLook): Finding {
  if (isNewer)
    return warning(
      'A newer version of the service was here: upgrade this one, or read docs/operations.md on going back.',
    )
  if (applied === null) return fine('is empty: the first start makes the tables')
  if (pending === 0) return fine(`is up to date, with ${applied} migrations`)
  return fine(`is ${pending} migrations behind: the next start catches up, or migrate does it before`)
}

function tellClock({ clockAheadMs }: DatabaseLook): Finding {
  const seconds = (Math.abs(clockAheadMs) / 1_000).toFixed(1)
  if (Math.abs(clockAheadMs) <= MOST_AHEAD_MS) return clock.fine(`within ${seconds} s of the database's`)
  return clock.wrong(
    `It is ${seconds} s ${clockAheadMs > 0 ? 'behind' : 'ahead of'} the database's: let both be set by NTP, for tokens end by the one and messages are dated by the other.`,
  )
}

/** That the database was not looked at. */
export const unlooked = [skipped('the settings come first'), clock.skipped('the settings come first')]
