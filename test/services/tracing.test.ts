import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import t from 'tap'
import type { Written } from '../../services/bus/index.js'
import { ask, build, connect, must, next, onEachDatabase, type Service, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'
import { acquainted } from './bus/versions.js'

const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
)

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${CALLER}-01`
const OTHER_TRACE = 'c0ffee1916cd43dd8448eb211c80319c'

/** Forgets what was traced so far. */
const forget = () => exporter.reset()

/** The one span of a name; it is there as soon as what it tells of is over. */
async function spanOf(name: string): Promise<ReadableSpan> {
  const found = () => exporter.getFinishedSpans().filter((span) => span.name === name)
  await until(name, () => found().length > 0)
  const [span, ...others] = found()
  if (!span || others.length > 0) throw new Error(`${others.length + 1} spans are called ${name}`)
  return span
}

const idOf = (span: ReadableSpan) => span.spanContext().spanId
const traceOf = (span: ReadableSpan) => span.spanContext().traceId

async function groupOf({ call }: Service): Promise<string> {
  const body = { type: 'group', memberIds: ['bob'] }
  return (await call('POST', '/chats', { as: 'alice', body })).body.chat.chatId
}

onEachDatabase('a send is a command, its commit and its delivery, behind both doors', async (t, database) => {
  const service = await build(t, database)
  const { socket } = await connect(t, service, 'bob')
  const chatId = await groupOf(service)

  await t.test('over REST, as part of the trace that the request names', async (t) => {
    forget()
    const coming = next(socket, 'new_message')
    const sent = { as: 'alice', body: { content: 'over REST' }, headers: { traceparent } }
    t.equal((await service.call('POST', `/chats/${chatId}/messages`, sent)).status, 201)
    await coming
    const command = await spanOf('chat.command send_message')
    const commit = await spanOf('chat.commit')
    const deliver = await spanOf('chat.deliver')
    t.same([traceOf(command), traceOf(commit), traceOf(deliver)], [TRACE, TRACE, TRACE])
    t.equal(command.parentSpanContext?.spanId, CALLER, 'the request is the parent of the command')
    t.equal(commit.parentSpanContext?.spanId, idOf(command), 'which is the parent of the commit')
    t.equal(deliver.parentSpanContext?.spanId, idOf(commit), 'which is the parent of the delivery')
    t.match(command.attributes, { 'chat.command': 'send_message', 'chat.door': 'rest', 'chat.outcome': 'ok' })
    t.match(commit.attributes, { 'chat.id': chatId, 'chat.batch_size': 1 })
    t.match(deliver.attributes, { 'chat.id': chatId, 'chat.events': 1, 'chat.clients': 1 })
  })

  await t.test('over a socket, as a trace of its own that is linked to the handshake', async (t) => {
    forget()
    const { token } = service
    const auth = { token: token('alice'), traceparent: `00-${OTHER_TRACE}-${CALLER}-01` }
    const { socket: sender } = await connect(t, service, 'alice', { auth })
    const coming = next(socket, 'new_message')
    await must(sender, 'send_message', { chatId, content: 'over a socket' })
    await coming
    const connected = await spanOf('chat.connect')
    const command = await spanOf('chat.command send_message')
    const commit = await spanOf('chat.commit')
    const deliver = await spanOf('chat.deliver')
    t.equal(traceOf(connected), OTHER_TRACE, 'the handshake is part of what the client was doing')
    t.equal(connected.parentSpanContext?.spanId, CALLER)
    t.equal(command.parentSpanContext, undefined, 'no trace is as long as a connection')
    t.same(
      command.links.map((link) => link.context.spanId),
      [idOf(connected)],
    )
    t.same([traceOf(commit), traceOf(deliver)], [traceOf(command), traceOf(command)])
    t.equal(commit.parentSpanContext?.spanId, idOf(command))
    t.equal(deliver.parentSpanContext?.spanId, idOf(commit))
  })

  await t.test('trace context of a handshake may also come in headers', async (t) => {
    forget()
    await connect(t, service, 'alice', { extraHeaders: { traceparent } })
    t.equal(traceOf(await spanOf('chat.connect')), TRACE)
  })

  await t.test('sends of one batch each have a commit of their own', async (t) => {
    forget()
    const { socket: sender } = await connect(t, service, 'alice')
    const contents = ['one', 'two', 'three']
    await Promise.all(contents.map((content) => must(sender, 'send_message', { chatId, content })))
    const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)
    await until('all are delivered', () => named('chat.deliver').length === contents.length)
    const commands = named('chat.command send_message').map(idOf).sort()
    const parentsOf = (spans: ReadableSpan[]) => spans.map((span) => span.parentSpanContext?.spanId).sort()
    t.same(parentsOf(named('chat.commit')), commands)
    t.same(parentsOf(named('chat.deliver')), named('chat.commit').map(idOf).sort())
  })

  await t.test('a refusal is told by its code, and no span holds a text or a token', async (t) => {
    const refused = await ask(socket, 'send_message', { chatId: 'nowhere', content: 'hush' })
    t.equal(refused.ok, false)
    const spans = exporter.getFinishedSpans()
    const outcomes = spans.map(({ attributes }) => attributes['chat.outcome'])
    t.ok(outcomes.includes('NOT_FOUND'), outcomes.join())
    const told = JSON.stringify(spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]))
    t.notMatch(told, /hush|over REST|over a socket|eyJ|alice|bob/)
  })
})

t.test('what another node delivers is part of the trace of the command', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const a = await build(t, { databaseUrl })
  const b = await build(t, { databaseUrl })
  await acquainted(a.app.chat.bus, b.app.chat.bus)
  const chatId = await groupOf(a)
  const heard: Written[] = []
  b.app.chat.bus.subscribe('changes', (news, origin) => {
    if (origin === 'elsewhere') heard.push(...news.filter((written) => written.changes))
  })
  const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])

  async function send(content: string, flags: string) {
    forget()
    heard.length = 0
    const coming = Promise.all([next(alice, 'new_message'), next(bob, 'new_message')])
    const headers = { traceparent: `00-${TRACE}-${CALLER}-${flags}`, baggage: 'user=alice' }
    const sent = { as: 'alice', body: { content }, headers }
    t.equal((await a.call('POST', `/chats/${chatId}/messages`, sent)).status, 201)
    await coming
    return heard.flatMap(({ changes = [] }) => changes)
  }

  const [traced, ...others] = await send('traced', '01')
  t.same(others, [])
  const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)
  await until('both nodes have delivered', () => named('chat.deliver').length === 2)
  const commit = await spanOf('chat.commit')
  t.same(
    named('chat.deliver')
      .map((span) => [
        span.kind,
        span.parentSpanContext?.isRemote ?? false,
        span.parentSpanContext?.spanId,
        traceOf(span),
      ])
      .sort(),
    [
      [SpanKind.INTERNAL, false, idOf(commit), TRACE],
      [SpanKind.CONSUMER, true, idOf(commit), TRACE],
    ],
  )
  for (const { attributes } of named('chat.deliver'))
    t.match(attributes, { 'chat.id': chatId, 'chat.events': 1, 'chat.clients': 1 })
  const header = `00-${TRACE}-${idOf(commit)}-01`
  t.same(traced?.trace, { traceparent: header }, 'the bus carries the commit, and none of the caller’s baggage')

  const [quiet] = await send('not sampled', '00')
  t.match(quiet?.message, { content: 'not sampled' })
  t.notOk(quiet && 'trace' in quiet, 'of what nobody records the bus carries no byte')
  t.same(named('chat.deliver'), [])
})
