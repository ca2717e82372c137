import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { serviceScope } from '../app.js'
import { Refusal, run } from '../cli/run.js'
import { packageRoot } from '../services/package-root.js'
import { whoPage } from '../test/who/page.js'
import { formatted } from './docs/format.js'
import { programReference, programTable } from './docs/program.js'
import {
  closingsTable,
  commandsReference,
  commandsTable,
  envExample,
  errorsTable,
  eventsTable,
  routesTable,
  settingsTable,
  shapesReference,
} from './docs/tables.js'
import { wireTypes } from './docs/wire.js'

const START_TIMEOUT_MS = 60_000
const MARKED = ['README.md', 'docs/reference.md', 'docs/cli.md']

/** Writes what the docs say of the contract and the settings; with `--check`, only says what has drifted. */
await run(async () => {
  process.chdir(packageRoot())
  const openapi = await readOpenApi()
  const parts: Record<string, string> = {
    commands: commandsTable(),
    'commands in full': commandsReference(),
    events: eventsTable(),
    routes: routesTable(),
    errors: errorsTable(),
    closings: closingsTable(),
    shapes: shapesReference(),
    settings: settingsTable(),
    'command line': programTable(),
    'command line in full': programReference(),
  }
  const files = new Map([
    ['docs/openapi.json', formatted('docs/openapi.json', JSON.stringify(openapi, null, 2))],
    ['client/src/wire.ts', formatted('client/src/wire.ts', wireTypes())],
    ['.env.example', envExample()],
    ['docs/who.md', whoPage()],
    ...MARKED.map((name): [string, string] => [name, fill(name, parts)]),
  ])
  const drifted = [...files].filter(([name, text]) => !existsSync(name) || readFileSync(name, 'utf8') !== text)
  if (!process.argv.includes('--check')) {
    for (const [name, text] of drifted) writeFileSync(name, text)
    process.stdout.write(drifted.length > 0 ? `wrote ${names(drifted)}\n` : 'nothing to write\n')
  } else if (drifted.length > 0) {
    throw new Refusal(`${names(drifted)}: not as the contract and the settings say; run: npm run docs`)
  }
})

function names(files: [string, string][]): string {
  return files.map(([name]) => name).join(', ')
}

/** The document as the running service has it: whatever is registered is in it. */
async function readOpenApi(): Promise<object> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-docs-'))
  const host = Fastify({ pluginTimeout: START_TIMEOUT_MS })
  try {
    const { app } = await serviceScope(host, { nodeEnv: 'development', dataDir, demoData: false, web: false })
    await host.ready()
    return app.swagger()
  } finally {
    await host.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Puts each part between its marks: `<!-- commands -->` and `<!-- /commands -->`. */
function fill(name: string, parts: Record<string, string>): string {
  return readFileSync(name, 'utf8').replace(/<!-- ([^/][^>]*) -->\n[\s\S]*?<!-- \/\1 -->/g, (_all, part: string) => {
    if (parts[part] === undefined) throw new Refusal(`${name} asks for "${part}", which nothing makes.`)
    return `<!-- ${part} -->\n${parts[part]}\n<!-- /${part} -->`
  })
}
