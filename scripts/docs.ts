import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, run } from '../cli/run.js'
import { packageRoot } from '../services/package-root.js'
import { whoPage } from '../test/who/page.js'
import { asyncApi } from './docs/api/asyncapi.js'
import { openApi } from './docs/api/openapi.js'
import { diagram } from './docs/diagrams.js'
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

const DIAGRAMS = 'docs/diagrams'
const MARKED = ['docs/wire.md', 'docs/settings.md', 'docs/reference.md', 'docs/cli.md']

/** Writes what the docs say of the contract and the settings; with `--check`, only says what has drifted. */
await run(async () => {
  process.chdir(packageRoot())
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
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
  const files = new Map<string, string>([
    document('docs/openapi.json', openApi(version)),
    document('docs/asyncapi.json', asyncApi(version)),
    ['client/src/wire.ts', formatted('client/src/wire.ts', wireTypes())],
    ['.env.example', envExample()],
    ['docs/who.md', whoPage()],
    ...MARKED.map((name): [string, string] => [name, fill(name, parts)]),
    ...diagrams(),
  ])
  const drifted = [...files].filter(([name, text]) => !existsSync(name) || readFileSync(name, 'utf8') !== text)
  if (!process.argv.includes('--check')) {
    for (const [name, text] of drifted) writeFileSync(name, text)
    process.stdout.write(drifted.length > 0 ? `wrote ${names(drifted)}\n` : 'nothing to write\n')
  } else if (drifted.length > 0) {
    throw new Refusal(`${names(drifted)}: not as the contract and the settings say; run: npm run docs`)
  }
})

/** Each description in docs/diagrams, as a picture beside it. */
function diagrams(): [string, string][] {
  const descriptions = readdirSync(DIAGRAMS).filter((name) => name.endsWith('.txt'))
  return descriptions.map((name) => {
    const text = readFileSync(join(DIAGRAMS, name), 'utf8')
    return [join(DIAGRAMS, name.replace('.txt', '.svg')), diagram(name, text)]
  })
}

function document(name: string, content: object): [string, string] {
  return [name, formatted(name, JSON.stringify(content, null, 2))]
}

function names(files: [string, string][]): string {
  return files.map(([name]) => name).join(', ')
}

/** Puts each part between its marks: `<!-- commands -->` and `<!-- /commands -->`. */
function fill(name: string, parts: Record<string, string>): string {
  return readFileSync(name, 'utf8').replace(/<!-- ([^/][^>]*) -->\n[\s\S]*?<!-- \/\1 -->/g, (_all, part: string) => {
    if (parts[part] === undefined) throw new Refusal(`${name} asks for "${part}", which nothing makes.`)
    return `<!-- ${part} -->\n${parts[part]}\n<!-- /${part} -->`
  })
}
