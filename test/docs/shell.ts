import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { COMMAND_NAMES, COMMANDS, type Command } from '../../contract/commands.js'
import { RESOURCE_NAMES, RESOURCES } from '../../contract/resources.js'
import { Settings } from '../../plugins/config/settings.js'
import { type Block, files, pages, root } from './markdown.js'

/** Programs of the reader's machine. */
const PROGRAMS = new Set([
  'cd',
  'curl',
  'docker',
  'export',
  'git',
  'openssl',
  'pg_dump',
  'pg_restore',
  'psql',
  'redis-cli',
])
/** What npm does by itself. */
const NPM = new Set(['ci', 'install', 'pack', 'publish', 'start', 'test'])
/** Names that are no settings, and whose they are. */
const NAMES: Record<string, string> = {
  TOKEN: 'the README’s client',
  SECRET: 'examples/host-app',
  CHROMIUM: 'scripts/screenshots.ts',
}

const routes = [
  ...RESOURCE_NAMES.map((name) => RESOURCES[name].url),
  ...COMMAND_NAMES.map((name): Command => COMMANDS[name]).flatMap(({ rest }) => (rest ? [rest.url] : [])),
]
const isRoute = (path: string) =>
  routes.some((url) => new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}$`).test(path)) || path === '/docs'

/** What is wrong with the commands of a block. */
export function faultsOf(block: Block): string[] {
  const lines = block.code.replace(/\\\n\s*/g, ' ').split('\n')
  return lines.flatMap((line, i) => {
    const text = line.replace(/(^|\s)#.*$/, '').trim()
    return (text === '' ? [] : faultsOfLine(block, text)).map(
      (fault) => `${block.page}:${block.line + 1 + i}: ${fault}`,
    )
  })
}

function faultsOfLine(block: Block, line: string): string[] {
  const inner: string[] = []
  let text = line.replace(/'[^']*'/g, 'quoted')
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(/\$\(([^()]*)\)/g, (_all, command: string) => {
      inner.push(command)
      return 'answer'
    })
  }
  const commands = [...inner, ...text.split(/&&|\|\||[|;&](?=\s|$)/)]
  return commands
    .map((command) => command.trim())
    .flatMap((command) => (command === '' ? [] : faultsOfCommand(block, command)))
}

function faultsOfCommand(block: Block, command: string): string[] {
  const words = command.split(/\s+/)
  const names: string[] = []
  const isExport = words[0] === 'export'
  if (isExport) words.shift()
  while (/^[A-Z][A-Z0-9_]*=/.test(words[0] ?? '')) names.push(words.shift()?.split('=')[0] ?? '')
  const unknown = names.filter((name) => !(name in Settings.properties) && !(name in NAMES))
  const faults = unknown.map((name) => `${name} is no setting`)
  const [program, ...args] = words
  if (program !== undefined) faults.push(...faultsOfProgram(block, program, args))
  return faults
}

function faultsOfProgram(block: Block, program: string, args: string[]): string[] {
  if (program === 'npm') return faultsOfNpm(block, args)
  if (program === 'npx') return binaries().has(args[0] ?? '') ? [] : [`npx ${args[0]}: nothing that we have`]
  if (program === 'node') return faultsOfNode(block, args)
  if (program === 'curl') return args.flatMap(faultOfUrl)
  if (program.includes('/')) return isFile(block, program) ? [] : [`${program} is not there`]
  return PROGRAMS.has(program) ? [] : [`${program} is no program that we know`]
}

function faultsOfNpm(block: Block, args: string[]): string[] {
  const [verb = '', ...rest] = args
  if (verb !== 'run') return NPM.has(verb) ? [] : [`npm ${verb} is nothing that npm does`]
  const script = rest.find((arg) => !arg.startsWith('-')) ?? ''
  const manifests = [join(dirname(block.page), 'package.json'), 'package.json'].filter((path) => files.has(path))
  const isThere = manifests.some((path) => script in (JSON.parse(readFileSync(join(root, path), 'utf8')).scripts ?? {}))
  return isThere ? [] : [`npm run ${script}: no such script`]
}

/** A file of ours, one that a build makes, or one that the page has its reader save. */
function faultsOfNode(block: Block, args: string[]): string[] {
  const file = args.find((arg) => !arg.startsWith('-')) ?? ''
  const isSaved = pages.get(block.page)?.blocks.some(({ words }) => words.includes(file))
  const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts')
  return isSaved || isFile(block, file) || isFile(block, source) ? [] : [`node ${file}: no such file`]
}

const isFile = ({ page }: Block, path: string) =>
  files.has(normalize(join(dirname(page), path))) || files.has(normalize(path))

function faultOfUrl(arg: string): string[] {
  const [, path] = /^(?:https?:\/\/)?localhost:3002(\/[^?]*)?/.exec(arg) ?? []
  return path === undefined || isRoute(path) ? [] : [`${path} is no route`]
}

function binaries(): Set<string> {
  const { bin, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return new Set([...Object.keys(bin), ...Object.keys(devDependencies)])
}
