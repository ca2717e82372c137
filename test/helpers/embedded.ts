import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../services/db/index.js'
import { migrate } from '../../services/db/migrate.js'

const PREFIX = 'chat-socket-embedded-'
const PATIENCE_MS = 120_000
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Fills a data folder with a migrated embedded database: making one takes seconds, so a run makes one and copies it. */
export async function copyTemplate(dataDir: string): Promise<void> {
  fs.cpSync(join(await template(), 'data'), dataDir, { recursive: true, mode: fs.constants.COPYFILE_FICLONE })
}

let shared: Promise<string> | undefined
function template(): Promise<string> {
  shared ??= makeTemplate()
  return shared
}

/** The first test file of a run to come makes it; the next run takes away what runners that are gone have left. */
async function makeTemplate(): Promise<string> {
  removeStale()
  const owner = process.env.TAP_CHILD_ID ? process.ppid : process.pid
  const dir = join(tmpdir(), `${PREFIX}${owner}`)
  const done = join(dir, 'done')
  try {
    fs.mkdirSync(dir)
  } catch {
    for (const end = Date.now() + PATIENCE_MS; !fs.existsSync(done); await sleep(50)) {
      if (Date.now() > end) throw new Error(`no embedded database was made in ${dir} within ${PATIENCE_MS} ms`)
    }
    return dir
  }
  const database = await openDatabase({ dataDir: join(dir, 'data'), logger: silent })
  await migrate(database)
  await database.close()
  fs.writeFileSync(done, '')
  if (owner === process.pid) process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

function removeStale(): void {
  for (const name of fs.readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX))) {
    const owner = Number.parseInt(name.slice(PREFIX.length), 10)
    if (!fs.existsSync(`/proc/${owner}`)) fs.rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}
