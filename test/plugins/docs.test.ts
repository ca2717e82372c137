import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import chat from '../../app.js'
import { CLOSINGS } from '../../contract/closings.js'
import { COMMAND_NAMES } from '../../contract/commands.js'
import { ERRORS } from '../../contract/errors.js'
import { EVENT_NAMES } from '../../contract/events.js'
import { RESOURCES } from '../../contract/resources.js'
import { escaped } from '../../plugins/docs/markdown.js'
import { packageRoot } from '../../services/package-root.js'
import { chatOptions, createHost } from '../helpers/host.js'

const committed = (name: string) => JSON.parse(readFileSync(join(packageRoot(), 'docs', name), 'utf8'))

t.test('both documents and their pages are under the prefix of a host', async (t) => {
  const host = createHost(t)
  await host.register(chat, await chatOptions(t, { prefix: '/chat', docs: true, socketPath: '/sockets' }))
  await host.ready()
  const read = async (url: string) => (await host.inject({ url })).json()

  t.test('OpenAPI is as committed, but for where it is', async (t) => {
    const { servers, info, ...rest } = await read('/chat/openapi.json')
    const { servers: _servers, info: ours, ...expected } = committed('openapi.json')
    t.same(rest, expected)
    t.same(servers, [{ url: '/chat', description: 'This service.' }])
    t.match(info.description, '[/docs/events](/chat/docs/events)')
    t.equal(info.version, ours.version)
    t.match(await read('/chat/docs/json'), { servers, info: { title: ours.title } }, 'Swagger shows the same')
    t.equal((await host.inject({ url: '/chat/docs/' })).statusCode, 200)
  })

  t.test('AsyncAPI is as committed, but for where it is', async (t) => {
    const { servers, ...rest } = await read('/chat/asyncapi.json')
    const { servers: ours, ...expected } = committed('asyncapi.json')
    t.same(rest, expected)
    t.same(servers, { service: { ...ours.service, pathname: '/sockets/' } })
  })

  t.test('the page of events tells of all, and asks for nothing', async (t) => {
    const { body, headers } = await host.inject({ url: `/chat${RESOURCES.get_events.url}` })
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/)
    t.notMatch(body, /<(script|img|link|iframe)| (src|style|on\w+)=/)

    const ids = new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    for (const name of COMMAND_NAMES) t.ok(ids.has(name), name)
    for (const name of EVENT_NAMES) t.ok(ids.has(`on_${name}`), name)
    for (const [code, { message }] of Object.entries({ ...ERRORS, ...CLOSINGS })) {
      t.ok(body.includes(`<code>${code}</code>`) && body.includes(escaped(message)), code)
    }
    const links = [...body.matchAll(/ href="([^"]+)"/g)].map(([, link = '']) => link)
    for (const link of links.filter((one) => one.startsWith('#'))) t.ok(ids.has(link.slice(1)), link)
    const away = links.filter((link) => !link.startsWith('#'))
    t.same(away, ['../docs', '../asyncapi.json'])
    t.equal(ids.size, [...body.matchAll(/ id="/g)].length, 'no id stands twice')
  })
})
