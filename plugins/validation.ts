import { isUtf8 } from 'node:buffer'
import type { TSchema } from '@sinclair/typebox'
import fastJson, { type Schema } from 'fast-json-stringify'
import type { FastifyBodyParser, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { invalid } from '../contract/errors.js'
import { MAX_PAYLOAD_BYTES } from '../contract/limits.js'
import { check, compile } from '../services/validator.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Compiles a schema for what a URL holds: texts become the types that it says. */
    coerce(schema: TSchema): (value: unknown) => true | { error: Error }
  }
}

function toValidator(schema: TSchema, coerce: boolean) {
  const validate = compile(schema, { coerce })
  return (value: unknown): true | { error: Error } => {
    try {
      check(validate, value)
      return true
    } catch (error) {
      return { error: error as Error }
    }
  }
}

/** Made with the first answer, as validators are with the first request. */
function toSerializer(schema: Schema) {
  let serialize: ReturnType<typeof fastJson> | undefined
  return (value: unknown): string => {
    serialize ??= fastJson(schema)
    return serialize(value)
  }
}

/** Fastify's own parser, but bytes that are no UTF-8 are refused: it would read U+FFFD in their place. */
function toJsonParser(app: FastifyInstance): FastifyBodyParser<Buffer> {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request, body, done) => {
    if (isUtf8(body)) parse(request, body.toString(), done)
    else done(invalid({ path: '', message: 'must be UTF-8' }))
  }
}

/** REST is checked by the engine that checks sockets: closed inputs, code points, the same words and the same size. */
async function validation(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= MAX_PAYLOAD_BYTES
  })
  app.decorate('coerce', (schema: TSchema) => toValidator(schema, true))
  // A host's own compilers and JSON parser end here: our schemas are JSON Schema, and our bodies are plain JSON.
  app.setSerializerCompiler(({ schema }) => toSerializer(schema as Schema))
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, toJsonParser(app))
  app.setValidatorCompiler(({ schema, httpPart }) => toValidator(schema as TSchema, httpPart !== 'body'))
}

export default fp(validation, { name: 'chat-validation', fastify: '5.x' })
