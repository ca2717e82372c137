import { count, createTally, isCode, type Tally } from './answers.js'
import type { Arena } from './arena.js'
import { type Case, randomOf, readCorpus, seedOf } from './cases.js'
import { createHttp, type HttpAnswer } from './http.js'
import { type Request, requestOf } from './request-bytes.js'
import { sampleCalls } from './routes.js'

/** Requests of a case, on one connection. */
const REQUESTS = 10
const CLIENTS = 24
/** A request that may be cut off has its server wait for the rest, with good reason. */
const UNSURE_MS = 1_000
const TOLD_CHARS = 400

/** Every request is answered, with a status of the catalogue, and never with "something broke". */
function judge(answer: HttpAnswer | 'closed' | 'late', { isHead, isWellFormed }: Request, tally: Tally): string | null {
  if (typeof answer === 'string') {
    count(tally, answer)
    return isWellFormed ? `no answer: ${answer}` : null
  }
  const { status, headers, body } = answer
  count(tally, String(status))
  if (status >= 500 && status !== 503) return `answered ${status}: ${body}`
  const isJson = headers.get('content-type')?.startsWith('application/json') ?? false
  if (status < 400 || isHead || !isJson || !isWellFormed) return null
  const { error, code } = JSON.parse(body) as { error?: { code?: unknown }; code?: unknown }
  // Engine.IO answers in its own words.
  if (isCode(error?.code) || typeof code === 'number') return null
  return `a failure of no catalogue: ${status} ${body}`
}

/** REST as bytes: each case is one connection with some requests. */
export async function fuzzRequests(arena: Arena, cases: Case[]) {
  const tally = createTally()
  let next = 0

  async function send(http: ReturnType<typeof createHttp>, request: Request, current: Case[]): Promise<void> {
    tally.calls += 1
    const answer = await http.ask(request.bytes, request.isHead, request.isWellFormed ? undefined : UNSURE_MS)
    // What it left on the connection is no part of the next one.
    if (!request.isWellFormed) http.close()
    const wrong = judge(answer, request, tally)
    const words = JSON.stringify(request.bytes.toString('latin1', 0, TOLD_CHARS))
    if (wrong)
      arena.fail('every request gets an answer of the catalogue', `${wrong.slice(0, TOLD_CHARS)} to ${words}`, current)
  }

  async function run(): Promise<void> {
    for (let one = cases[next++]; one; one = cases[next++]) {
      arena.begin(one)
      const random = randomOf(one)
      const http = createHttp(arena.url)
      for (const call of sampleCalls(seedOf(one), REQUESTS)) {
        await send(http, requestOf(random, call, arena.messageIds), [one])
      }
      http.close()
      arena.finish(one)
      if (arena.isOver()) return
    }
  }

  const http = createHttp(arena.url)
  for (const { request } of readCorpus()) {
    if (request) await send(http, { bytes: Buffer.from(request, 'latin1'), isHead: false, isWellFormed: false }, [])
  }
  http.close()
  await Promise.all(Array.from({ length: CLIENTS }, run))
  return tally
}
