import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ValidationSeverity, type ValidatorSettings, validate } from 'dockerfile-utils'
import t from 'tap'
import { Settings } from '../../plugins/config/settings.js'
import { packageRoot } from '../../services/package-root.js'
import { compile } from '../../services/validator.js'
import { tempDir } from '../helper.js'
import { DEPLOY } from '../helpers/prometheus.js'

const root = packageRoot()
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const isSetting = (name: string) => Object.hasOwn(Settings.properties, name)

const HAPROXY = '/usr/sbin/haproxy'
const ANALYZE = '/usr/bin/systemd-analyze'
const CHART = join(DEPLOY, 'helm/chat-socket-service')

t.test('the image is built on a Node that the package wants, and of files that are there', async (t) => {
  const dockerfile = read('Dockerfile')
  const [, node] = /^ARG NODE=(\d+)$/m.exec(dockerfile) ?? []
  t.ok(Number(node) >= 24, `Node ${node}`)
  t.equal(dockerfile.match(/^FROM node:\$\{NODE\}-/gm)?.length, 2)
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
  t.same(
    copied.filter((name) => !existsSync(join(root, name))),
    [],
  )
  t.match(dockerfile, /^USER node$/m, 'it runs as nobody in particular')
  t.match(dockerfile, /^HEALTHCHECK /m)
})

/** Whatever a Dockerfile can be warned of. */
const EACH: ValidatorSettings = {
  deprecatedMaintainer: ValidationSeverity.WARNING,
  directiveCasing: ValidationSeverity.WARNING,
  emptyContinuationLine: ValidationSeverity.WARNING,
  instructionCasing: ValidationSeverity.WARNING,
  instructionCmdMultiple: ValidationSeverity.WARNING,
  instructionEntrypointMultiple: ValidationSeverity.WARNING,
  instructionHealthcheckMultiple: ValidationSeverity.WARNING,
  instructionJSONInSingleQuotes: ValidationSeverity.WARNING,
  instructionWorkdirRelative: ValidationSeverity.WARNING,
}
const warningsOf = (dockerfile: string) => validate(dockerfile, EACH).map(({ message }) => message)

t.test('the Dockerfile has no warning', async (t) => {
  const dockerfile = read('Dockerfile')
  t.same(warningsOf(dockerfile), [])
  t.same(warningsOf(`${dockerfile}WORKDIR app\nHEALTHCHECK --every=1s CMD true\n`).length, 3, 'it would have some')
})

t.test('compose starts two nodes that cannot do without secrets, and names settings that there are', async (t) => {
  const compose = read('compose.yaml')
  t.match(compose, /^ {2}chat-a: \*node$/m)
  t.match(compose, /^ {2}chat-b: \*node$/m)
  for (const name of ['JWT_SECRET', 'SERVICE_API_KEYS']) {
    t.ok(compose.includes(`${name}: \${${name}:?`), `${name} is asked for`)
  }
  const [, environment = ''] = /^ {2}environment:\n((?: {4}.*\n)+)/m.exec(compose) ?? []
  const names = Array.from(environment.matchAll(/^ {4}([A-Z_]+):/gm), ([, name = '']) => name)
  t.ok(names.length > 4)
  t.same(
    names.filter((name) => !isSetting(name)),
    [],
  )
  const mounted = [...compose.matchAll(/'\.\/([^:']+):/g)].map(([, name = '']) => name)
  t.same(
    mounted.filter((name) => !existsSync(join(root, name))),
    [],
  )
})

t.test('HAProxy takes its configuration', existsSync(HAPROXY) ? {} : { skip: `no ${HAPROXY}` }, async (t) => {
  // Only Docker knows the names of the nodes.
  const config = readFileSync(join(DEPLOY, 'haproxy/haproxy.cfg'), 'utf8').replaceAll(/chat-[ab]:/g, '127.0.0.1:')
  const file = join(tempDir(t), 'haproxy.cfg')
  writeFileSync(file, config)
  const { status, stderr } = spawnSync(HAPROXY, ['-c', '-f', file], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
})

t.test('systemd takes the unit', existsSync(ANALYZE) ? {} : { skip: `no ${ANALYZE}` }, async (t) => {
  const dir = tempDir(t)
  const unit = 'chat-socket-service.service'
  cpSync(join(DEPLOY, 'systemd', unit), join(dir, unit))
  const { stdout, stderr } = spawnSync(ANALYZE, ['verify', join(dir, unit)], { encoding: 'utf8' })
  const own = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(unit))
  // Where this machine has Node is not where a server has it.
  t.same(
    own.filter((line) => !line.includes('is not executable')),
    [],
  )
})

t.test('the chart’s values fit their schema, and name settings that there are', async (t) => {
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'))
  const { $schema: _, ...rules } = schema
  const fits = compile(rules)
  const values = {
    replicas: 2,
    image: { repository: 'chat' },
    existingSecret: 'chat',
    service: { port: 80 },
    ingress: {},
  }
  t.ok(fits({ ...values, settings: { DRAIN_MS: 10_000 } }))
  t.notOk(fits({ ...values, settings: { JWT_SECRET: 'in the open' } }), 'secrets are in a secret')
  t.notOk(fits({ ...values, settings: {}, replicas: 0 }))
  t.notOk(fits({ ...values, settings: {}, replicaCount: 3 }), 'a misspelt value is refused')

  const text = readFileSync(join(CHART, 'values.yaml'), 'utf8')
  const used = Array.from(text.matchAll(/^ {2}([A-Z][A-Z_]+):/gm), ([, name = '']) => name)
  t.ok(used.length > 0)
  t.same(
    used.filter((name) => !isSetting(name)),
    [],
  )
  // Each value that a template reads is one that values.yaml has.
  const templates = readdirSync(join(CHART, 'templates')).map((name) =>
    readFileSync(join(CHART, 'templates', name), 'utf8'),
  )
  const asked = new Set([...templates.join('').matchAll(/\.Values\.(\w+)/g)].map(([, name = '']) => name))
  t.ok(asked.size > 8)
  t.same(
    [...asked].filter((name) => !new RegExp(`^${name}:`, 'm').test(text)),
    [],
  )
  t.same(
    Object.keys(rules.properties).filter((name) => name !== 'global' && !asked.has(name)),
    [],
  )
})
