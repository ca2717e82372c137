import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import { ErrorAnswer } from '../contract/errors.js'
import { RESOURCES, type Resource, type ResourceName } from '../contract/resources.js'

type Resources = typeof RESOURCES

/** What TypeBox makes the types of a request and its answer of. */
type SchemaOf<R extends Resource> = R['input'] & (R['answers'] extends null ? unknown : { response: R['answers'] })

/** A route of the table, all but its handler: method, URL, schemas, and who may as a hook. */
export function toRoute<N extends ResourceName>(app: FastifyInstance, name: N) {
  const { method, url, summary, tag, input, answers }: Resource = RESOURCES[name]
  const schema = answers
    ? { operationId: name, summary, tags: [tag], ...input, response: { ...answers, ...failures(name) } }
    : { hide: true, ...input }
  return { method, url, onRequest: guard(app, name), schema: schema as unknown as SchemaOf<Resources[N]> }
}

/** The hooks that refuse who may not call a route of the table. */
export function guard(app: FastifyInstance, name: ResourceName): onRequestAsyncHookHandler[] {
  const { who, openedBy }: Resource = RESOURCES[name]
  const { requireCallerOrLocal, requireLocal, requireService } = app.auth
  const hooks = { everybody: [], caller: [requireCallerOrLocal], service: [requireService], local: [requireLocal] }
  return openedBy && app.config[openedBy] ? [] : hooks[who]
}

/** What everybody may call says nothing of failures. */
function failures(name: ResourceName) {
  return RESOURCES[name].who === 'everybody' ? {} : { '4xx': ErrorAnswer, '5xx': ErrorAnswer }
}
