import t, { type Test } from 'tap'
import chat from '../../app.js'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName } from '../../contract/commands.js'
import type { ChatError } from '../../contract/errors.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import { TAGS } from '../../contract/who.js'
import type { Caller } from '../../services/hub/callers.js'
import { build, connect, type Service } from '../helper.js'
import { type Answer, overRest, overSocket } from '../helpers/doors.js'
import { chatOptions, createHost } from '../helpers/host.js'
import { sampleOf } from '../helpers/samples.js'

const USER_ONLY = 'A service calls this for a user: name one in X-On-Behalf-Of.'
const SOCKET_ONLY = 'Only a socket can call this.'
const SERVICE_MAKES = 'Chats are made by the main service.'

/** What the table says becomes of a call: `in`, or the sentence that refuses it. */
function expectedOf({ rest, service, who }: Command, caller: 'service' | 'for a user' | 'user' | 'socket'): string {
  if (rest === null && caller !== 'socket') return SOCKET_ONLY
  if (caller === 'service') return service ? 'in' : USER_ONLY
  return who === 'creator' && caller !== 'for a user' ? SERVICE_MAKES : 'in'
}

/** Who is let in finds that the chat or message of a sample is not there, or succeeds. */
function outcomeOf(name: CommandName, answer: Answer): string {
  if (answer.ok || answer.error.code === 'NOT_FOUND') return 'in'
  if (name === 'refresh_token' && answer.error.code === 'UNAUTHENTICATED') return 'in'
  return answer.error.code === 'FORBIDDEN' ? answer.error.message : answer.error.code
}

t.test('who may send a command is what its entry says, at every door', async (t) => {
  const service = await build(t, { chatCreation: 'service' })
  const user = { userId: 'alice', name: 'ALICE', avatarUrl: null }
  const alice: Caller = { kind: 'user', userId: 'alice', user, expiresAtMs: null }
  for (const name of COMMAND_NAMES) {
    const command: Command = COMMANDS[name]
    const input = sampleOf(command.input) as Record<string, unknown>
    /** As a host does that has `app.chat.binder`. */
    const inProcess = (caller: Caller): Promise<Answer> =>
      service.app.chat.binder.run(name, caller, input).then(
        (data) => ({ ok: true, data }),
        (error: ChatError) => ({ ok: false, error: error.toBody() }),
      )
    await t.test(name, async (t) => {
      const { socket } = await connect(t, service, 'alice')
      const is = (answer: Answer, caller: Parameters<typeof expectedOf>[1], what: string) =>
        t.equal(outcomeOf(name, answer), expectedOf(command, caller), what)
      is(await inProcess({ kind: 'service' }), 'service', 'a service, in the process')
      is(await inProcess({ ...alice, isService: true }), 'for a user', 'a service for a user, in the process')
      is(await inProcess(alice), 'user', 'a user, in the process')
      if (command.rest) {
        is(await overRest(service, name, input, null), 'service', 'a service over REST')
        is(await overRest(service, name, input, 'alice', true), 'for a user', 'a service for a user over REST')
        is(await overRest(service, name, input, 'alice'), 'user', 'a user over REST')
      }
      is(await overSocket(socket, name, input), 'socket', 'a user over a socket')
      t.ok(command.tag in TAGS)
      for (const field of Object.keys(command.made ?? {})) t.ok(field in command.output.properties, `made: ${field}`)
    })
  }
})

const REMOTE = { 'x-forwarded-for': '203.0.113.7' }

/** Who calls a route, each as the options of a REST call. */
const CALLERS = {
  stranger: { headers: REMOTE },
  local: {},
  user: { as: 'alice', headers: REMOTE },
  service: { as: 'service', headers: REMOTE },
  'for a user': { as: 'service', onBehalfOf: 'alice', headers: REMOTE },
} as const
type RouteCaller = keyof typeof CALLERS

const IN: Record<RouteCaller, string> = { stranger: 'in', local: 'in', user: 'in', service: 'in', 'for a user': 'in' }
const OUTCOMES: Record<Resource['who'], Record<RouteCaller, string>> = {
  everybody: IN,
  caller: { ...IN, stranger: 'UNAUTHENTICATED' },
  service: {
    ...IN,
    stranger: 'UNAUTHENTICATED',
    local: 'UNAUTHENTICATED',
    user: 'FORBIDDEN',
    'for a user': 'FORBIDDEN',
  },
  local: { stranger: 'NOT_FOUND', local: 'in', user: 'NOT_FOUND', service: 'NOT_FOUND', 'for a user': 'NOT_FOUND' },
}

async function checkRoutes(t: Test, service: Service, isOpen: boolean): Promise<void> {
  for (const name of RESOURCE_NAMES) {
    const { method, url, who, openedBy, input }: Resource = RESOURCES[name]
    const outcomes = openedBy && isOpen ? IN : OUTCOMES[who]
    for (const caller of Object.keys(CALLERS) as RouteCaller[]) {
      const body = input.body && sampleOf(input.body)
      const options = { ...CALLERS[caller], ...(body !== undefined && { body }) }
      const answer = await service.call(method, url.replace(':userId', 'erin'), options)
      t.equal(answer.status < 400 ? 'in' : answer.body.error.code, outcomes[caller], `${caller}: ${method} ${url}`)
    }
  }
}

t.test('who may call a route is what its row says', async (t) => {
  const opened = { web: true, demoData: true }
  const service = await build(t, { ...opened, docs: false, metrics: false })
  await checkRoutes(t, service, false)
  await checkRoutes(t, await build(t, { ...opened, docs: true, metrics: true }), true)
})

t.test('no route is without a row', async (t) => {
  const routes = new Set<string>()
  const host = createHost(t)
  host.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.add(`${one} ${url}`)
  })
  await host.register(chat, await chatOptions(t, { web: true, demoData: true }))
  await host.ready()

  const rows = [
    ...Object.values<Command>(COMMANDS).flatMap(({ rest }) => (rest ? [`${rest.method} ${rest.url}`] : [])),
    ...Object.values<Resource>(RESOURCES).map(({ method, url }) => `${method} ${url}`),
  ]
  // What lies below /docs is the library's; the page is the first of its folder's files.
  const isOurs = (route: string) => !/^(HEAD|OPTIONS) /.test(route) && !route.startsWith('GET /docs/')
  const found = [...routes].filter(isOurs).map((route) => (route === 'GET /*' ? 'GET /' : route))
  t.same(found.sort(), rows.sort())
})

// The doors follow the tables, so a slip in a row would open one unseen: what is open is said here once more.
t.test('what the tables open', async (t) => {
  const commands = (holds: (command: Command) => boolean) => COMMAND_NAMES.filter((name) => holds(COMMANDS[name]))
  const routes = (who: Resource['who']) => RESOURCE_NAMES.filter((name) => RESOURCES[name].who === who)
  t.same(
    commands(({ service }) => service),
    [
      'create_chat',
      'update_chat',
      'list_members',
      'add_members',
      'remove_member',
      'set_member_role',
      'mute_member',
      'ban_member',
      'unban_member',
      'list_bans',
      'get_users',
    ],
    'to a service that names no user',
  )
  t.same(
    commands(({ rest }) => rest === null),
    ['typing', 'watch_presence', 'unwatch_presence', 'refresh_token', 'logout'],
    'to sockets alone',
  )
  t.same(routes('everybody'), ['get_health', 'get_ready', 'get_live', 'get_page'], 'to everybody')
  t.same(routes('caller'), ['list_online', 'get_status', 'get_statuses'], 'to users')
  t.same(routes('local'), ['get_demo_tokens'], 'to this machine')
})
