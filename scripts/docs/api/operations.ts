import type { TObject, TSchema } from '@sinclair/typebox'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName, type RestTwin } from '../../../contract/commands.js'
import type { ErrorCode } from '../../../contract/errors.js'
import { RESOURCE_NAMES, RESOURCES, type Resource, type ResourceName } from '../../../contract/resources.js'
import { requestOf, usesQuery } from '../../../contract/rest.js'
import { COMMAND_EXAMPLES } from '../examples/commands.js'
import { RESOURCE_EXAMPLES } from '../examples/resources.js'
import { failuresOfCommand, failuresOfResource } from './failures.js'
import { type Json, pascal } from './schemas.js'
import { securityOfCommand, securityOfResource } from './security.js'
import { commandWords, resourceWords } from './texts.js'

/** Parts of a request and its answer by example. */
export interface Example {
  params?: object
  querystring?: object
  body?: object
  answers?: object
}

interface Answer {
  name: string
  schema: TSchema
}

/** One route, from whichever table. */
export interface Operation {
  name: string
  method: string
  url: string
  tag: string
  description: string
  params?: TObject | undefined
  query?: TObject | undefined
  body?: { schema: TObject; name: string; isRequired: boolean; description: string } | undefined
  takesBytes?: true | undefined
  answers: [status: number, answer: Answer][]
  media: { [status: number]: string | null }
  failures: ErrorCode[]
  security: Json[]
  mayActFor: boolean
  example: Example
}

/** Every route that OpenAPI tells of. */
export function operations(): Operation[] {
  const all = [...RESOURCE_NAMES.map(ofResource), ...COMMAND_NAMES.map(ofCommand)]
  return all.filter((operation) => operation !== null)
}

function ofCommand(name: CommandName): Operation | null {
  const command: Command = COMMANDS[name]
  const { rest, input, output, serviceOutput, made, tag } = command
  if (!rest) return null
  const { params, own } = requestOf(input, rest)
  const hasOwn = Object.keys(own.properties).length > 0
  const hasBody = hasOwn && !usesQuery(rest)
  const answer = {
    name: `${pascal(name)}Answer`,
    schema: serviceOutput ? ({ anyOf: [output, serviceOutput] } as unknown as TSchema) : output,
  }
  const isAlwaysMade = made !== undefined && Object.keys(made).length === 0
  return {
    name,
    method: rest.method,
    url: rest.url,
    tag,
    description: commandWords(name, command),
    params,
    query: usesQuery(rest) ? own : undefined,
    body: hasBody ? { ...bodyOf(input, own), name: `${pascal(name)}Body` } : undefined,
    answers: [...(isAlwaysMade ? [] : [200]), ...(made ? [201] : [])].map((status) => [status, answer]),
    media: {},
    failures: failuresOfCommand(command, hasBody),
    security: securityOfCommand(),
    mayActFor: true,
    example: commandExample(name, command, rest, params),
  }
}

/** A body without the conditions that no generator of clients knows; they are told in words. */
function bodyOf(input: TObject, own: TObject) {
  const wanted = Array.isArray(input.anyOf) ? input.anyOf.map(({ required }: { required: string[] }) => required) : []
  const choices = wanted
    .map((fields: string[]) => fields.filter((field) => field in own.properties).map((field) => `\`${field}\``))
    .map((fields: string[]) => fields.join(' with '))
  return {
    schema: own,
    isRequired: choices.length > 0 || (own.required ?? []).length > 0,
    description: choices.length > 0 ? `At least one of: ${choices.join(', ')}.` : 'The fields of the call.',
  }
}

function commandExample(name: CommandName, { made }: Command, { single, ...rest }: RestTwin, params: TObject): Example {
  const { input, output } = COMMAND_EXAMPLES[name]
  const whole = Object.entries(input as object)
  const inUrl = single
    ? Object.entries(single).map(([part, list]) => [part, whole.find(([field]) => field === list)?.[1][0]])
    : whole.filter(([field]) => field in params.properties)
  const own = single ? {} : Object.fromEntries(whole.filter(([field]) => !(field in params.properties)))
  const before = Object.fromEntries(Object.entries(made ?? {}).map(([field, value]) => [field, !value]))
  return {
    params: Object.fromEntries(inUrl),
    ...(usesQuery(rest) ? { querystring: own } : { body: own }),
    answers: { 200: { ...output, ...before }, 201: { ...output, ...made } },
  }
}

function ofResource(name: ResourceName): Operation | null {
  const resource: Resource = RESOURCES[name]
  const { method, url, tag, who, input, answers, media = {}, takesBytes } = resource
  if (!answers && !resource.media) return null
  const isNothing = (schema: TSchema) => Object.keys(schema.properties ?? {}).length === 0
  return {
    name,
    method,
    url,
    tag,
    description: resourceWords(resource),
    params: input.params,
    query: input.querystring,
    body: input.body && {
      schema: input.body,
      name: `${pascal(name)}Body`,
      isRequired: true,
      description: 'The fields of the call.',
    },
    takesBytes,
    answers: Object.entries(answers ?? {}).map(([status, schema]) => [
      Number(status),
      { name: isNothing(schema) ? 'Nothing' : `${pascal(name)}Answer`, schema },
    ]),
    media,
    failures: failuresOfResource(resource),
    security: securityOfResource(who),
    mayActFor: who === 'caller' || who === 'viewer',
    example: RESOURCE_EXAMPLES[name],
  }
}
