import type { TObject } from '@sinclair/typebox'
import { ErrorAnswer } from '../../../contract/errors.js'
import { TAGS } from '../../../contract/who.js'
import { failureComponents, failureResponses } from './failures.js'
import { type Operation, operations } from './operations.js'
import { createSchemas, humanized, type Json, type Schemas } from './schemas.js'
import { ON_BEHALF_OF, SECURITY_SCHEMES } from './security.js'
import { INFO } from './texts.js'

const SUCCESSES: { [status: number]: string } = {
  200: 'Done.',
  201: 'It was made.',
  202: 'It has begun, and goes on.',
  206: 'The range that was asked for.',
  302: 'Where the bytes are.',
  503: 'It is not well; the body says what it lacks.',
}

/** The REST routes as OpenAPI 3.1: a function of the contract's tables. */
export function openApi(version: string): Json {
  const schemas = createSchemas()
  const all = operations()
  const paths: Record<string, Json> = {}
  for (const operation of all) {
    const path = operation.url.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: toOperation(schemas, operation) }
  }
  const used = new Set(all.map(({ tag }) => tag))
  return {
    openapi: '3.1.0',
    info: { ...INFO, version },
    servers: [
      {
        url: '{origin}',
        description: 'Where the service runs.',
        variables: {
          origin: { default: 'http://localhost:3002', description: 'Scheme, host and port, and a prefix.' },
        },
      },
    ],
    tags: Object.entries(TAGS).flatMap(([name, description]) => (used.has(name) ? [{ name, description }] : [])),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: { OnBehalfOf: ON_BEHALF_OF },
      responses: failureComponents(schemas.of(ErrorAnswer)),
      schemas: schemas.components(),
    },
  }
}

function toOperation(schemas: Schemas, operation: Operation): Json {
  const { name, tag, description, body, takesBytes, answers, media, failures, security, mayActFor, example } = operation
  const parameters = [
    ...parametersOf(schemas, 'path', operation.params, example.params),
    ...parametersOf(schemas, 'query', operation.query, example.querystring),
    ...(mayActFor ? [{ $ref: '#/components/parameters/OnBehalfOf' }] : []),
  ]
  const ofAnswers = new Map(Object.entries(example.answers ?? {}))
  const successes = answers.map(([status, answer]) => {
    const content = { schema: schemas.named(answer.name, answer.schema), example: ofAnswers.get(String(status)) }
    return [status, { description: SUCCESSES[status], content: { 'application/json': content } }]
  })
  const bytes = Object.entries(media).map(([status, type]) => {
    const content = type === null ? {} : { content: { [type]: { schema: mediaSchema(type) } } }
    return [status, { description: SUCCESSES[Number(status)], ...content }]
  })
  return {
    operationId: name,
    summary: humanized(name),
    description,
    tags: [tag],
    security,
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        description: body.description,
        required: body.isRequired,
        content: {
          'application/json': { schema: schemas.named(body.name, body.schema), example: example.body },
        },
      },
    }),
    ...(takesBytes && {
      requestBody: {
        description: 'The bytes of the file, of the type that `create_upload` was told.',
        required: true,
        content: { '*/*': { schema: mediaSchema('*/*') } },
      },
    }),
    responses: { ...Object.fromEntries([...successes, ...bytes]), ...failureResponses(failures) },
  }
}

const mediaSchema = (type: string): Json =>
  type === 'application/json'
    ? { type: 'object' }
    : type === '*/*'
      ? { type: 'string', format: 'binary' }
      : { type: 'string' }

function parametersOf(
  schemas: Schemas,
  place: 'path' | 'query',
  schema: TObject | undefined,
  example: object = {},
): Json[] {
  const examples = new Map(Object.entries(example))
  return Object.entries(schema?.properties ?? {}).map(([name, field]) => {
    const { description, ...rest } = schemas.of(field as unknown as Json)
    return {
      name,
      in: place,
      required: place === 'path' || (schema?.required ?? []).includes(name),
      ...(typeof description === 'string' && { description }),
      schema: { ...rest, ...(field.default !== undefined && { default: field.default }) },
      ...(examples.has(name) && { example: examples.get(name) }),
    }
  })
}
