import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { ChatError, ErrorAnswer } from '../contract/errors.js'
import { RESOURCES, type Resource, type ResourceName } from '../contract/resources.js'
import { lengthOf } from '../services/limits/index.js'
import { callerOf } from './auth.js'

type Resources = typeof RESOURCES

/** What TypeBox makes the types of a request and its answer of. */
type SchemaOf<R extends Resource> = R['input'] & (R['answers'] extends null ? unknown : { response: R['answers'] })

/** A route of the table, all but its handler: method, URL, schemas, and who may as a hook. */
export function toRoute<N extends ResourceName>(app: FastifyInstance, name: N) {
  const { method, url, summary, tag, input, answers }: Resource = RESOURCES[name]
  const schema = answers
    ? { operationId: name, summary, tags: [tag], ...input, response: { ...answers, ...failures(name) } }
    : { hide: true, ...input }
  return {
    method,
    url,
    onRequest: guard(app, name),
    preHandler: payment(app, name),
    schema: schema as unknown as SchemaOf<Resources[N]>,
  }
}

/** The hooks that refuse who may not call a route of the table, or calls it too often. */
export function guard(app: FastifyInstance, name: ResourceName): onRequestAsyncHookHandler[] {
  const { who, openedBy, perAddress }: Resource = RESOURCES[name]
  const { requireCaller, requireCallerOrLocal, requireLocal, requireService } = app.auth
  const hooks = {
    everybody: [],
    caller: [requireCallerOrLocal],
    viewer: [requireCaller],
    // Its token is looked at with its row.
    holder: [],
    service: [requireService],
    local: [requireLocal],
  }
  return [
    refuseLate(app),
    ...(perAddress ? [app.limitAddress] : []),
    ...(openedBy && app.config[openedBy] ? [] : hooks[who]),
  ]
}

/** A hook: no change is made that waited while this process stood still, for its caller may have tried again on another node, and gone on from there. */
export function refuseLate(app: FastifyInstance): onRequestAsyncHookHandler {
  return async ({ method }) => {
    const retryAfterMs = method === 'GET' ? 0 : app.door.lateMs()
    if (retryAfterMs > 0) throw new ChatError('OVERLOADED', { retryAfterMs })
  }
}

/** The hooks that have a user's call of a route paid for. */
function payment(app: FastifyInstance, name: ResourceName) {
  const { rate, lookups }: Resource = RESOURCES[name]
  if (!rate) return []
  return async (request: FastifyRequest): Promise<void> => {
    app.chat.limits.charge(callerOf(request), rate, lookups === undefined ? 0 : lengthOf(request.body, lookups))
  }
}

/** What everybody may call says nothing of failures. */
function failures(name: ResourceName) {
  return RESOURCES[name].who === 'everybody' ? {} : { '4xx': ErrorAnswer, '5xx': ErrorAnswer }
}
