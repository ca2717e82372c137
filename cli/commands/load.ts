import { command, wholeNumber, wrongUse } from '../command.js'

const LIFETIME_S = 7_200

export default command({
  summary: 'a small load test against a running server, with a table of latencies',
  about:
    'Makes users and chats, lets them talk at a rate, and takes them away again. Every message is followed to every socket: what is lost, doubled or out of order fails the test. It signs tokens with JWT_SECRET, so run it in the folder of the server, or with its JWT_SECRET (and SERVICE_API_KEYS, if it has any) in the environment. To this machine only, unless --remote says that another may be loaded. How much a server can take at most is told in docs/benchmarks.',
  options: {
    url: { type: 'string', value: 'url', summary: 'the server (the one of PORT, on this machine)' },
    users: { type: 'string', value: 'n', default: '20', summary: 'how many are connected' },
    chats: { type: 'string', value: 'n', default: '5', summary: 'the groups that they talk in, each user in one' },
    rate: { type: 'string', value: 'n', default: '20', summary: 'messages a second, of all together' },
    seconds: { type: 'string', value: 'n', default: '10', summary: 'how long they talk' },
    remote: { type: 'boolean', summary: 'the server is on another machine, and may be loaded' },
    keep: { type: 'boolean', summary: 'leave the users and chats there' },
    json: { type: 'boolean', summary: 'the outcome as JSON, for programs' },
  },
  examples: [
    'load',
    'load --users 200 --chats 20 --rate 100 --seconds 30',
    'load --url https://chat.example.com --remote',
  ],
  async run({ values: { url, remote, keep, json, ...numbers } }) {
    const users = wholeNumber('users', numbers.users, 2, 5_000)
    const chats = wholeNumber('chats', numbers.chats, 1, 1_000)
    const rate = wholeNumber('rate', numbers.rate, 1, 10_000)
    const seconds = wholeNumber('seconds', numbers.seconds, 1, 3_600)
    if (users < 2 * chats) throw wrongUse('--users must be at least twice --chats, so that nobody talks to themselves.')
    const { createApi, isLoopback, readUrl } = await import('../api.js')
    const given = url === undefined ? undefined : readUrl('url', url)
    if (given && !isLoopback(given) && !remote)
      throw wrongUse(`${given.host} is another machine: --remote says that it may be loaded.`)

    const { listOf } = await import('../../plugins/config/lists.js')
    const { runLoad } = await import('../load/index.js')
    const { report } = await import('../load/table.js')
    const { EXIT, readSettings } = await import('../run.js')
    const { createSigner } = await import('../tokens.js')
    const config = await readSettings()
    const sign = await createSigner(config)
    const lifetimeS = Math.min(LIFETIME_S, config.JWT_MAX_LIFETIME)
    const [apiKey] = listOf(config.SERVICE_API_KEYS)
    const at = given ?? new URL(`http${config.TLS_CERT_FILE ? 's' : ''}://127.0.0.1:${config.PORT}`)
    const api = createApi(
      at,
      apiKey ? { 'x-api-key': apiKey } : { authorization: `Bearer ${sign({ isService: true, lifetimeS })}` },
    )
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    const { outcome, faults } = await runLoad({
      ...{ url: at, socketPath: config.SOCKET_PATH, api, users, chats, rate, seconds, keep, signal: stop.signal },
      token: (userId) => sign({ userId, lifetimeS }),
      say,
    })
    if (process.stderr.isTTY) process.stderr.write(CLEAR)
    const ok = faults.length === 0
    process.stdout.write(`${json ? JSON.stringify({ ok, faults, ...outcome }, null, 2) : report(outcome, faults)}\n`)
    if (!ok) process.exitCode = EXIT.failed
  },
})

/** The line of progress, taken away. */
const CLEAR = '\r\x1b[K'

const say = (progress: string): void =>
  void process.stderr.write(process.stderr.isTTY ? `${CLEAR}${progress}` : `${progress}\n`)
