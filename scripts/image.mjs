// Follows the Dockerfile in plain folders, since Docker itself is not everywhere: its COPY sources are there, its RUN commands work, the
// process starts as its CMD says, is healthy by its HEALTHCHECK, and ends at SIGTERM. What it cannot tell: the base image and its users.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './apps.mjs'
import { root, run, tempFolder } from './tarball.mjs'

const START_MS = 60_000

/** The instructions of the Dockerfile, each in one line, by stage. */
function readStages() {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean)
  const stages = []
  for (const line of lines) {
    const [, word, rest] = line.trim().match(/^(\w+) (.*)$/)
    if (word === 'FROM') stages.push([])
    else stages.at(-1)?.push({ word, rest })
  }
  return stages
}

/** What Docker would be sent: what git knows or is about to, but for what .dockerignore names. */
function makeContext() {
  const folder = tempFolder('context')
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean)
  const isIgnored = (name) =>
    ignored.some((line) => (line.startsWith('*.') ? name.endsWith(line.slice(1)) : `${name}/`.startsWith(`${line}/`)))
  const names = run('git', ['ls-files', '--cached', '--others', '--exclude-standard']).split('\n').filter(Boolean)
  for (const name of names.filter((name) => !isIgnored(name) && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    cpSync(join(root, name), join(folder, name))
  }
  return folder
}

/** Does what a stage says, in a folder that stands for /app. */
function follow(stage, from) {
  const folder = tempFolder('stage')
  for (const { word, rest } of stage) {
    if (word === 'COPY') copy(rest, from, folder)
    // Nobody is called node here.
    if (word === 'RUN') run('sh', ['-c', rest.replace('-o node -g node ', '')], { cwd: folder })
  }
  return folder
}

function copy(rest, from, folder) {
  const parts = rest.replace(/^--from=\w+ /, '').split(' ')
  const target = parts.pop()
  for (const part of parts) {
    const source = join(from, part.replace(/^\/app\//, ''))
    if (!existsSync(source)) throw new Error(`COPY ${rest}: there is no ${part}`)
    const isInto = target.endsWith('/') && part !== '.'
    const to = isInto ? join(folder, target, part.split('/').at(-1)) : join(folder, target)
    cpSync(source, to, { recursive: true, verbatimSymlinks: true })
  }
}

const commandOf = (stage, word) =>
  JSON.parse(stage.find((line) => line.word === word).rest.replace(/^.*?(?:CMD )?(?=\[)/, ''))

/** Starts what the image starts, asks it as its health check does, and ends it. */
async function start(stage, folder) {
  const PORT = String(await freePort())
  const secret = () => randomBytes(36).toString('base64')
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', PORT, JWT_SECRET: secret(), SERVICE_API_KEYS: secret() }
  const [command, ...args] = commandOf(stage, 'CMD')
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data))
  try {
    const [asker, ...question] = commandOf(stage, 'HEALTHCHECK')
    const isHealthy = () => spawnSync(asker, question, { env }).status === 0
    for (const end = Date.now() + START_MS; !isHealthy(); await sleep(500)) {
      if (Date.now() > end || child.exitCode !== null) throw new Error(`it does not become healthy:\n${said}`)
    }
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await gone
    if (code !== 0) throw new Error(`at SIGTERM it ends with ${code}:\n${said}`)
  } finally {
    child.kill('SIGKILL')
  }
}

try {
  const [build, final] = readStages()
  const built = follow(build, makeContext())
  console.log('✅ the build stage: its sources are there, and its commands work')
  const image = follow(final, built)
  await start(final, image)
  console.log('✅ the image: it starts, is healthy, and ends at SIGTERM')
} catch (error) {
  console.error(`❌ ${error.message}`)
  process.exitCode = 1
}
