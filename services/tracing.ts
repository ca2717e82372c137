import {
  type Context,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { ChatError } from '../contract/errors.js'

export type Tracing = ReturnType<typeof createTracing>

/** Where trace headers may stand: `traceparent`, `tracestate`, or what else the app's propagator reads. */
export type Carrier = Record<string, unknown>

/** A send on its way into the log, as its commit's span needs it. */
export interface TracedSend {
  /** The command that sent it. */
  trace: Context
  /** When its batch was begun, by the clock of `performance`. */
  startedAt: number
  /** How many sends that batch had. */
  batchSize: number
}

/** An event on its way to a chat; `trace` is what another node's `carried` has said of its message. */
interface Delivered {
  payload: object
  trace?: Record<string, string>
}

const SERVER_FAULT = 500

/**
 * OpenTelemetry's spans of a command: `chat.command`, `chat.commit`, `chat.deliver`, and `chat.connect` of a handshake. Laws: without a
 * provider nothing is made or kept; no attribute holds a text, a token or a user's id; what a span is told never changes what is done.
 */
export function createTracing(version: string) {
  const tracer = trace.getTracer('chat-socket-service', version)
  /** The handshake of each connection's session. */
  const handshakes = new WeakMap<object, Span>()
  /** The commit of each message that is on its way to its chat. */
  const commits = new WeakMap<object, Context>()

  /** Runs some work within a span, and ends it with what became of the work. */
  async function within<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
    try {
      const result = await context.with(trace.setSpan(parent, span), work)
      span.setAttribute('chat.outcome', 'ok')
      return result
    } catch (error) {
      fail(span, error)
      throw error
    } finally {
      span.end()
    }
  }

  return {
    /**
     * Runs a command. Over REST its span is a child of whatever asked for it. A connection lives for hours, so that a command of a socket begins
     * a trace of its own, with a link to the handshake.
     */
    command<T>(name: string, session: object | undefined, work: () => Promise<T>): Promise<T> {
      if (!isTraced()) return work()
      const parent = context.active()
      const handshake = session && handshakes.get(session)
      const span = tracer.startSpan(
        `chat.command ${name}`,
        {
          root: session !== undefined,
          kind: session ? SpanKind.SERVER : kindOf(parent, SpanKind.SERVER),
          attributes: { 'chat.command': name, 'chat.door': session ? 'socket' : 'rest' },
          ...(handshake && { links: [{ context: handshake.spanContext() }] }),
        },
        parent,
      )
      return isReal(span) ? within(span, parent, work) : work()
    },

    /** Runs what a request asks for as part of the trace that it names, unless the app's own instrumentation has begun a span for it. */
    request<T>(carrier: Carrier, work: () => T): T {
      return context.with(callerContext(carrier), work)
    },

    /** Lets a client in within a span, which is a child of what the client was doing. */
    async connect<S extends object>(carrier: Carrier, arrive: () => Promise<S>): Promise<S> {
      const parent = callerContext(carrier)
      const span = tracer.startSpan('chat.connect', { kind: SpanKind.SERVER }, parent)
      if (!isReal(span)) return arrive()
      const session = await within(span, parent, arrive)
      handshakes.set(session, span)
      return session
    },

    /** The command that runs just now; undefined where nobody traces it. */
    current(): Context | undefined {
      if (!isTraced()) return undefined
      const active = context.active()
      return trace.getSpan(active) && active
    },

    /** The commit of a send is over; of a message that was stored the delivery is to come. */
    committed(
      { trace: parent, startedAt, batchSize }: TracedSend,
      message: { chatId: string; seq: number } | undefined,
    ) {
      const attributes = { 'chat.batch_size': batchSize, ...(message && attributesOf(message)) }
      const span = tracer.startSpan('chat.commit', { startTime: startedAt, attributes }, parent)
      if (!message) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(performance.now())
      if (message) commits.set(message, trace.setSpan(parent, span))
    },

    /** What names a message's commit to other nodes, where somebody records it: trace headers, and none of the app's baggage. */
    carried(message: object): Record<string, string> | undefined {
      const commit = commits.get(message)
      const span = commit && trace.getSpanContext(commit)
      if (!span || (span.traceFlags & TraceFlags.SAMPLED) === 0) return undefined
      const carrier: Record<string, string> = {}
      propagation.inject(trace.setSpanContext(ROOT_CONTEXT, span), carrier)
      return Object.keys(carrier).length > 0 ? carrier : undefined
    },

    /**
     * Begins the delivery of some messages to a chat, each as a child of its commit, which another node may have made; what it answers is called when it
     * is done, with the number of clients.
     */
    deliver(chatId: string, deliveries: readonly Delivered[]): ((clients: number) => void) | undefined {
      if (!isTraced()) return undefined
      const parents = deliveries.flatMap(({ payload, trace }) => commits.get(payload) ?? remoteCommit(trace) ?? [])
      if (parents.length === 0) return undefined
      const attributes = { 'chat.id': chatId, 'chat.events': deliveries.length }
      const spans = parents.map((parent) =>
        tracer.startSpan('chat.deliver', { kind: kindOf(parent, SpanKind.CONSUMER), attributes }, parent),
      )
      return (clients) => {
        for (const span of spans) span.setAttribute('chat.clients', clients).end()
      }
    },
  }
}

/** What stands for a provider while there is none. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate()

/** Whether the app has a provider; it may come at any time. */
function isTraced(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NO_PROVIDER
}

/** What the caller was doing: what is active here, else what its headers say. */
function callerContext(carrier: Carrier): Context {
  const active = context.active()
  return trace.getSpan(active) ? active : propagation.extract(active, carrier)
}

/** The commit that another node names, where it names one. */
function remoteCommit(carrier: Delivered['trace']): Context | undefined {
  const commit = carrier && propagation.extract(ROOT_CONTEXT, carrier)
  return commit && trace.getSpanContext(commit) && commit
}

/** A span's kind: its own where it answers another process. */
const kindOf = (parent: Context, ofRemote: SpanKind): SpanKind =>
  trace.getSpanContext(parent)?.isRemote ? ofRemote : SpanKind.INTERNAL

/** Whether somebody traces; without a provider a span has no id. */
const isReal = (span: Span) => trace.isSpanContextValid(span.spanContext())

function fail(span: Span, error: unknown): void {
  const { code = 'INTERNAL', status = SERVER_FAULT } = error as Partial<ChatError>
  span.setAttribute('chat.outcome', code)
  if (status >= SERVER_FAULT) span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}

const attributesOf = ({ chatId, seq }: { chatId: string; seq: number }) => ({ 'chat.id': chatId, 'chat.seq': seq })
