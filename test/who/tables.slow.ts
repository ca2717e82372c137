import t from 'tap'
import chat from '../../app.js'
import { COMMAND_NAMES, COMMANDS, type Command } from '../../contract/commands.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import { TAGS } from '../../contract/who.js'
import { API_KEY, ask, build, client, connect } from '../helper.js'
import { overRest } from '../helpers/doors.js'
import { chatOptions, createHost } from '../helpers/host.js'
import { request } from './doors.js'
import { faultOf } from './marks.js'
import { ACTORS, COMMAND_ROWS, ROUTE_ROWS, readRow } from './matrix.js'
import { makeGrounds, PEOPLE } from './place.js'

t.test('where the main service makes the chats, no door lets a user', async (t) => {
  const service = await build(t, { chatCreation: 'service' })
  const { socket } = await connect(t, service, 'alice')
  const input = { type: 'group' as const, memberIds: ['bob'] }
  const refused = { ok: false, error: { code: 'FORBIDDEN', message: 'Chats are made by the main service.' } }
  t.match(await ask(socket, 'create_chat', input), refused, 'over a socket')
  t.match(await overRest(service, 'create_chat', input, 'alice'), refused, 'over REST')
  t.match(await overRest(service, 'create_chat', input, 'alice', true), { ok: true }, 'a service for a user')
})

t.test('settings open routes', async (t) => {
  const service = await build(t, { docs: true, metrics: true, users: PEOPLE })
  const { placeOf } = await (await makeGrounds(service)).next()
  for (const name of RESOURCE_NAMES) {
    const { method, url, openedBy }: Resource = RESOURCES[name]
    if (!openedBy) continue
    for (const actor of ACTORS) {
      t.match(await request(service, actor, { method, url }), { status: 200 }, `${actor}: ${url}`)
    }
    t.match(faultOf(name, 'X', placeOf('member'), await request(service, 'member', { method, url })), /is let in/)
  }
})

t.test('nobody comes in without being somebody', async (t) => {
  const service = await build(t)
  for (const [who, auth] of [
    ['without a token', {}],
    ['as a service', { token: service.token('main', { scope: 'service' }) }],
    ['with a service’s key', { token: API_KEY }],
  ] as const) {
    const socket = client(t, service, 'alice', { auth })
    const refused = new Promise((resolve) => socket.once('connect_error', resolve))
    socket.connect()
    t.match(await refused, { data: { code: 'UNAUTHENTICATED', retryable: false } }, who)
  }

  for (const name of COMMAND_NAMES) {
    const command: Command = COMMANDS[name]
    const { rest } = command
    if (!rest) continue
    const options = { as: 'service', onBehalfOf: 'nobody-of-this-name', ...(rest.method !== 'GET' && { body: {} }) }
    const answer = await service.call(rest.method, rest.url.replace(/:\w+/g, 'x'), options)
    t.match(answer, { status: 404, body: { error: { message: 'X-On-Behalf-Of names no user.' } } }, name)
  }
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
  // What lies below /docs is the library's, but for the page of events; the page is the first of its folder's files.
  const isOurs = (route: string) => !/^(HEAD|OPTIONS) |^GET \/docs\/(?!events$)/.test(route)
  const found = [...routes].filter(isOurs).map((route) => (route === 'GET /*' ? 'GET /' : route))
  t.same(found.sort(), rows.sort())
})

// What the docs say of a command and what the matrix says of it are two places: they agree.
t.test('the contract says who may as the matrix does', async (t) => {
  for (const name of COMMAND_NAMES) {
    const { service, rest, tag, made, output }: Command = COMMANDS[name]
    const ofService = Object.values(COMMAND_ROWS[name]).map(([, row]) => readRow(row).get('service'))
    const expected = rest === null ? 'O' : service ? '+' : 'S'
    t.ok(ofService.includes(expected), `${name}: ${expected} for a service, not ${ofService}`)
    t.ok(tag in TAGS)
    for (const field of Object.keys(made ?? {})) t.ok(field in output.properties, `made: ${field}`)
  }
  for (const name of RESOURCE_NAMES) {
    const { who }: Resource = RESOURCES[name]
    const row = readRow(ROUTE_ROWS[name][1])
    const seen = [row.get('anonymous'), row.get('member'), row.get('service'), row.get('this machine')].join('')
    const expected = {
      everybody: '++++',
      caller: 'U+++',
      service: 'UX+U',
      viewer: 'U++U',
      holder: '----',
      local: '---+',
    }[who]
    t.equal(seen, expected, name)
  }
})
