import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { API_KEY, build, onEachDatabase, type Service } from '../helper.js'
import { program } from './program.js'

t.setTimeout(600_000)

/** A group in which so many revisions happened. */
async function group({ call }: Service, chatId: string, revisions: number): Promise<void> {
  const members = { type: 'group', chatId, memberIds: ['alice', 'bob'] }
  const made = await call('POST', '/chats', { as: 'service', body: members })
  for (let at = made.body.chat.revision; at < revisions; at += 1) {
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: `${at}` } })
  }
}

/** Before the service, a double of GET /changes/heads in two pages; whatever else is asked, the service answers. */
async function withHeads(t: Test, service: Service, heads: Record<string, number>): Promise<string> {
  const chats = Object.entries(heads).map(([chatId, head]) => ({ chatId, head }))
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', service.url)
    if (request.method === 'GET' && url.pathname === '/changes/heads') {
      const isFirst = url.searchParams.get('cursor') === null
      const page = isFirst
        ? { chats: chats.slice(0, 1), nextCursor: 'a b' }
        : { chats: chats.slice(1), nextCursor: null }
      return void response.end(JSON.stringify(page))
    }
    const body = (await request.toArray()).join('')
    const headers = { 'x-api-key': String(request.headers['x-api-key']), 'content-type': 'application/json' }
    const answer = await fetch(url, { method: request.method ?? 'GET', headers, ...(body && { body }) })
    response.statusCode = answer.status
    response.end(await answer.text())
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

onEachDatabase('verify-feed', async (t, database) => {
  const service = await build(t, database)
  await group(service, 'general', 6)
  await group(service, 'team x', 4)
  await group(service, 'unheard', 3)
  const verify = (input: string, url: string, ...args: string[]) =>
    program(t, ['verify-feed', '--url', url, ...args], { input, env: { SERVICE_API_KEYS: API_KEY } })
  // A server without the route lists its chats.
  const places = [service.url, await withHeads(t, service, { general: 6, 'team x': 4, unheard: 3, 'long gone': 9 })]

  for (const url of places) {
    const behind = await verify('general 4\nteam x 4\n', url)
    t.match(behind, { code: 1, stderr: '' })
    t.match(behind.stdout, /^chat +has +head +lag +missing$/m)
    t.match(behind.stdout, /^general +4 +6 +2 +–$/m)
    t.match(behind.stdout, /^unheard +nothing +3 +3 +never heard of$/m)
    t.notMatch(behind.stdout, /^team x/m, 'what is well is not listed')
    t.match(behind.stdout, /^❌ \d of \d chats; \d+ revisions behind in all$/m)
  }
  t.notMatch((await verify('general 6\nteam x 4\nunheard 3\n', service.url)).stdout, /❌/)

  const all = ['general 1', 'general 2', 'general 5-6', 'team x 1-4', 'unheard 1-3'].join('\n')
  const holes = await verify(all, service.url, '--all')
  t.match(holes, {
    code: 1,
    stdout: /^general +6 +6 +0 +3-4$[\s\S]*^❌ 1 of 3 chats; 0 revisions behind in all; 1 with holes$/m,
  })
  t.match(await verify(all, service.url), { code: 0, stdout: /^✅ nothing is missing: 3 chats; 0 revisions/ })

  const ahead = await verify('general 8\nteam x 3\nunheard 2\nerased 12\n', service.url, '--lag', '1', '--json')
  t.equal(ahead.code, 1)
  const { chats } = JSON.parse(ahead.stdout)
  const of = (chatId: string) => chats.find((chat: { chatId: string }) => chat.chatId === chatId)
  t.match(of('general'), { has: 8, head: 6, lag: 0, isAhead: true })
  t.match(of('team x'), { has: 3, head: 4, lag: 1, isAhead: false })
  t.match(of('erased'), { has: 12, head: null, lag: 0 })
  t.match(await verify('general 5\nteam x 3\nunheard 2\n', service.url, '--lag', '1'), { code: 0 })
})

t.test('what cannot be verified is one sentence', async (t) => {
  const service = await build(t)
  const env = { SERVICE_API_KEYS: API_KEY }
  const at = ['verify-feed', '--url', service.url]
  for (const [args, options, code, said] of [
    [at, {}, 2, /^❌ verify-feed needs an API key: SERVICE_API_KEYS in the environment, or --key\.\n$/],
    [[...at, '--key', 'never-told'], { input: 'a 1' }, 1, /does not take our credentials \(UNAUTHENTICATED\)/],
    [[...at, 'missing.txt'], { env }, 1, /^❌ The file missing\.txt cannot be read \(ENOENT\): correct its path\.\n$/],
    [at, { env, input: 'nonsense' }, 2, /^❌ Line 1 is no chat and revision/],
    [['verify-feed', '--url', 'ftp://x'], { env }, 2, /^❌ --url must be a URL as http/],
    [[...at, '--lag', 'x'], { env }, 2, /^❌ --lag must be a whole number/],
  ] as const) {
    const outcome = await program(t, [...args], options)
    t.match(outcome, { code, stdout: '', stderr: said }, args.join(' '))
    t.notMatch(outcome.stderr, /never-told|\n\s+at /)
  }
})
