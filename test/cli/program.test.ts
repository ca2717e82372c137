import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../cli/commands.js'
import { helpOf, overview } from '../../cli/help.js'
import { parse } from '../../cli/parse.js'
import { packageRoot } from '../../services/package-root.js'
import { program } from './program.js'

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }

// What broke: --help started a server, and made ./data.
t.test('help and version start nothing, and make nothing', async (t) => {
  const lines: [string[], RegExp][] = [
    [['--help'], /^chat-socket-service \d.*\n\nUsage: /],
    [['-v'], new RegExp(`^${version}\n$`)],
    [['start', '--help'], /^npx chat-socket-service start: starts the server/],
    [['help', 'token'], /^npx chat-socket-service token: /],
    [['load', '--version'], new RegExp(`^${version}\n$`)],
  ]
  await Promise.all(
    lines.map(async ([args, said]) => {
      const { code, stdout, stderr, cwd } = await program(t, args)
      t.match({ code, stdout, stderr }, { code: 0, stdout: said, stderr: '' }, args.join(' '))
      t.same(readdirSync(cwd), [], 'the folder is as it was')
    }),
  )
})

t.test('a wrong call is one sentence with the name that was meant, and ends with 2', async (t) => {
  const lines: [string[], RegExp][] = [
    [['chek'], /^❌ There is no command "chek": did you mean check\?\n$/],
    [['--port', '4000'], /^❌ start has no option --port: PORT is a setting: .*\.env\.\n$/],
    [['check', '--jsn'], /^❌ check has no option --jsn: did you mean --json\?\n$/],
    [['token'], /^❌ token needs the id of a user, or --service/],
    [['load', '--url', 'http://192.0.2.1:3002'], /^❌ 192\.0\.2\.1:3002 is another machine: --remote says/],
  ]
  await Promise.all(
    lines.map(async ([args, said]) => {
      const { code, stdout, stderr, cwd } = await program(t, args)
      t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: said }, args.join(' '))
      t.same(readdirSync(cwd), [], 'nothing was made')
    }),
  )
})

t.test('options and operands', async (t) => {
  const read = (name: string, ...args: string[]) => parse(name, COMMANDS[name] as (typeof COMMANDS)[string], args)
  t.same(read('token', 'alice'), { operands: ['alice'], values: { service: false, days: '1' } })
  t.same(read('token', '--days', '7', 'alice', '--service'), {
    operands: ['alice'],
    values: { service: true, days: '7' },
  })
  t.match(read('token', '--days=2', '--', '--odd'), { operands: ['--odd'], values: { days: '2' } })
  t.equal(read('token', 'alice', '-h'), 'help')
  t.equal(read('token', '--wrong', '--help'), 'help', 'who asks for help gets it, whatever else is wrong')
  for (const [args, said] of [
    [['token', '--days'], /^--days needs a value: --days <n>\.$/],
    [['token', '--days', '--service'], /^--days needs a value/],
    [['token', '--days='], /^--days needs a value/],
    [['token', '--service=yes'], /^--service is a switch: it takes no value\.$/],
    [
      ['token', 'alice', 'bob'],
      /^token does not know what to do with "bob": see npx chat-socket-service token --help\.$/,
    ],
    [['check', '-x'], /^check has no option -x: see npx /],
    [['start', '--databaseUrl', 'x'], /^start has no option --databaseUrl: DATABASE_URL is a setting/],
    [['start', '--jwt-secret=never-told'], /^start has no option --jwt-secret: JWT_SECRET is a setting/],
    [['start', 'now'], /^start does not know what to do with "now"/],
    [['import', '--form', 'x'], /^import has no option --form: did you mean --from\?$/],
  ] as const) {
    const [name, ...rest] = args
    t.throws(() => read(name, ...rest), { message: said, code: 'WRONG_USE' }, args.join(' '))
  }
})

t.test('help names every command and every option, in lines that fit', async (t) => {
  const all = overview(COMMANDS)
  for (const [name, command] of Object.entries(COMMANDS)) {
    t.match(all, new RegExp(`^  ${name} +${command.summary.slice(0, 20)}`, 'm'))
    const text = helpOf(name, command)
    for (const option of Object.keys(command.options)) t.match(text, new RegExp(`^  --${option}\\b`, 'm'))
    t.ok(command.examples.length > 0)
    const long = text.split('\n').filter((line) => line.length > 100 && !/^(Usage: |npx | {2}.*npx )/.test(line))
    t.same(long, [], name)
  }
})
