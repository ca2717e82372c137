import t from 'tap'
import { API_KEY, build } from '../helper.js'

// What broke: what stood behind a good token was not looked at.
t.test('the Authorization header holds one token and nothing else', async (t) => {
  const { call, token } = await build(t)
  const good = token('alice')
  const ask = (authorization: string) => call('GET', '/chats', { headers: { authorization } })
  for (const header of [`Bearer ${good}`, `bearer ${good}`, `BEARER ${good}`]) t.equal((await ask(header)).status, 200)
  const wrong = {
    'junk behind it': `Bearer ${good} junk`,
    'two tokens': `Bearer ${good} ${good}`,
    'two in a list': `Bearer ${good}, Bearer ${good}`,
    'two spaces': `Bearer  ${good}`,
    'a tab': `Bearer\t${good}`,
    'a tab behind the space': `Bearer \t${good}`,
    'a space at the end': `Bearer ${good} `,
    'a space at the start': ` Bearer ${good}`,
    'a hard space': `Bearer\u00a0${good}`,
    'no token': 'Bearer',
    'no token but a space': 'Bearer ',
    'no scheme': good,
    'another scheme': `Basic ${good}`,
    quotes: `Bearer "${good}"`,
    empty: '',
  }
  for (const [what, header] of Object.entries(wrong)) {
    t.match(await ask(header), { status: 401, body: { error: { code: 'UNAUTHENTICATED', retryable: false } } }, what)
  }
  t.match(await call('GET', '/chats', { headers: {} }), { status: 401 })
})

// What broke: bytes that are no UTF-8 were stored as U+FFFD.
t.test('a body is UTF-8, or refused', async (t) => {
  const { host, call } = await build(t)
  const put = async (...parts: (string | Buffer)[]) => {
    const payload = Buffer.concat(parts.map((part) => Buffer.from(part)))
    const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
    const response = await host.inject({ method: 'PUT', url: '/users/dave', headers, payload })
    return { status: response.statusCode, body: response.json() }
  }
  const name = (...bytes: number[]) => put('{"name":"', Buffer.from(bytes), '"}')
  const refused = (message: string) => ({
    status: 400,
    body: { error: { code: 'VALIDATION_FAILED', retryable: false, details: [{ path: '', message }] } },
  })

  for (const bytes of [
    [0xff],
    [0x61, 0xc3],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xf5, 0x80, 0x80, 0x80],
  ]) {
    t.match(await name(...bytes), refused('must be UTF-8'), Buffer.from(bytes).toString('hex'))
  }
  t.match(await put(Buffer.from('{"name":"Dave"}', 'utf16le')), { status: 400 })
  const profiles = await call('GET', '/users/dave', { as: 'service' })
  t.equal(profiles.body.users[0].name, 'DAVE', 'and nothing of it is stored')

  t.match(await put('{"name":"Grüße 👋 \ufffd"}'), { status: 200, body: { name: 'Grüße 👋 \ufffd' } })
  t.match(await put('\ufeff{"name":"marked"}'), { status: 200, body: { name: 'marked' } }, 'a byte order mark')
  for (const body of ['', '\ufeff', '{', '{"__proto__":{}}']) {
    t.match(await put(body), { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } }, body)
  }
})
