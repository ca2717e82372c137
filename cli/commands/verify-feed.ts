import { command, wholeNumber, wrongUse } from '../command.js'

const MOST_LAG = 1_000_000_000

export default command({
  summary: 'says what a receiver of changes has missed, chat by chat',
  about:
    'Reads what a receiver says that it has, one line a chat as "general 12", or "general 3-12" for a range, and compares it with the server: what lags, which chats it never heard of, and with --all which revisions are missing in between. Only reads; the server may be in use. Ends with 1 when something is missing.',
  operands: [{ name: 'file', summary: 'the lines; without one, or as -, what is piped in' }],
  options: {
    url: { type: 'string', value: 'url', default: 'http://127.0.0.1:3002', summary: 'the server' },
    key: {
      type: 'string',
      value: 'key',
      summary:
        'an API key of it; better the first of SERVICE_API_KEYS in the environment, where no list of processes shows it',
    },
    all: { type: 'boolean', summary: 'the lines are all revisions that the receiver has, so look for holes' },
    lag: { type: 'string', value: 'n', default: '0', summary: 'how many revisions each chat may be behind' },
    json: { type: 'boolean', summary: 'every chat as JSON, for programs' },
  },
  examples: [
    'verify-feed claim.txt',
    `psql -Atc 'SELECT chat_id, max(revision) …' -F ' ' | {} verify-feed --url https://chat.example.com`,
  ],
  async run({ operands: [file = '-'], values: { url, key, all, lag, json } }) {
    const { createReadStream } = await import('node:fs')
    const { readEnvFile } = await import('../../plugins/config/env-file.js')
    const { listOf } = await import('../../plugins/config/lists.js')
    const { createApi, readUrl } = await import('../api.js')
    const { readClaim } = await import('../feed/claim.js')
    const { compare, isWrong, report } = await import('../feed/compare.js')
    const { askHeads, listHeads } = await import('../feed/heads.js')
    const { EXIT, Refusal } = await import('../run.js')

    const mostLag = wholeNumber('lag', lag, 0, MOST_LAG)
    const at = readUrl('url', url)
    readEnvFile()
    const apiKey = key ?? listOf(process.env.SERVICE_API_KEYS)[0]
    if (!apiKey) throw wrongUse('verify-feed needs an API key: SERVICE_API_KEYS in the environment, or --key.')
    if (file === '-' && process.stdin.isTTY)
      throw wrongUse('verify-feed needs what the receiver has: name a file, or pipe it in.')
    const input = file === '-' ? process.stdin : createReadStream(file)
    const claim = await readClaim(input).catch((error: NodeJS.ErrnoException) => {
      throw error.syscall ? new Refusal(`The file ${file} cannot be read (${error.code}): correct its path.`) : error
    })
    const api = createApi(at, { 'x-api-key': apiKey })
    const claimed = new Map([...claim].map(([chatId, spans]) => [chatId, spans.at(-1)?.[1] ?? 0]))
    // First all, then those that were claimed: what is made meanwhile is nobody's lag.
    const heads = new Map([...(await listHeads(api)), ...(await askHeads(api, claimed))])
    const standings = compare(claim, heads, all)
    const ok = !standings.some((standing) => isWrong(standing, mostLag))
    process.stdout.write(`${json ? JSON.stringify({ ok, chats: standings }, null, 2) : report(standings, mostLag)}\n`)
    if (!ok) process.exitCode = EXIT.failed
  },
})
