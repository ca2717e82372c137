import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv'
import { type Fault, invalid } from '../contract/errors.js'

const LONE_SURROGATE_OR_NUL = /[\0\p{Cs}]/u
const POLLUTING = new Set(['__proto__', 'constructor', 'prototype'])

/** Why a value is not plain JSON within its bounds, or null when it is. */
function plainJsonFault(value: unknown, maxBytes: number, maxDepth: number): string | null {
  let fault: string | null = null
  const walk = (node: unknown, depth: number): void => {
    if (fault) return
    if (typeof node === 'string') {
      if (LONE_SURROGATE_OR_NUL.test(node)) fault = 'must not hold NUL or lone surrogates'
    } else if (typeof node === 'number') {
      if (!Number.isFinite(node)) fault = 'must not hold numbers that JSON cannot'
    } else if (typeof node === 'object' && node !== null) {
      if (depth > maxDepth) fault = `must not be deeper than ${maxDepth} levels`
      else if (ArrayBuffer.isView(node)) fault = 'must not hold binary data'
      else
        for (const [key, child] of Object.entries(node)) {
          if (POLLUTING.has(key)) fault = `must not have a key named ${key}`
          walk(key, depth + 1)
          walk(child, depth + 1)
        }
    }
  }
  walk(value, 1)
  if (!fault && Buffer.byteLength(JSON.stringify(value)) > maxBytes) fault = `must not be larger than ${maxBytes} bytes`
  return fault
}

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ coerceTypes, removeAdditional: false, useDefaults: false, strict: false, verbose: true })
  ajv.addKeyword({
    keyword: 'plainJson',
    compile: ({ maxBytes, maxDepth }: { maxBytes: number; maxDepth: number }) =>
      function validate(this: unknown, value: unknown) {
        const fault = plainJsonFault(value, maxBytes, maxDepth)
        ;(validate as { errors?: unknown[] }).errors = fault ? [{ keyword: 'plainJson', message: fault }] : undefined
        return fault === null
      },
    errors: true,
  })
  // A pattern cannot tell a day that there is from one that there is not.
  ajv.addKeyword({
    keyword: 'isTime',
    type: 'string',
    validate: (_schema: unknown, value: string) => !Number.isNaN(Date.parse(value)) && isDay(value.slice(0, 10)),
    error: { message: 'must be a time in RFC 3339' },
  })
  return ajv
}

/** Whether the calendar has a day; `Date` takes the 31st of February for a day of March. */
function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === text
}

const exact = createAjv(false)
const coercing = createAjv(true)

/** Says whether a value fits; `errors` then tells why the last one did not. */
export interface Validator {
  (value: unknown): boolean
  errors?: ErrorObject[] | null | undefined
}

/** A validator of a schema; with `coerce`, text from a URL becomes the type that the schema says. It is compiled at its first use: to compile all at the start would make the start half as long again. */
export function compile(schema: TSchema | AnySchema, options: { coerce?: boolean } = {}): Validator {
  let compiled: ValidateFunction | undefined
  const validate: Validator = (value) => {
    compiled ??= (options.coerce ? coercing : exact).compile(schema as AnySchema)
    const fits = compiled(value)
    validate.errors = compiled.errors
    return fits
  }
  return validate
}

/** A validator after which the compiler, too, knows what fits. */
export function guard<T extends TSchema>(schema: T): (value: unknown) => value is Static<T> {
  return compile(schema) as (value: unknown) => value is Static<T>
}

/** Throws VALIDATION_FAILED with path and reason unless the value fits. */
export function check(validate: Validator, value: unknown): void {
  if (!validate(value)) throw invalid(...(validate.errors ?? []).map(toFault))
}

function toFault({ instancePath, keyword, message, params, parentSchema }: ErrorObject): Fault {
  if (keyword === 'additionalProperties') {
    return { path: `${instancePath}/${params.additionalProperty}`, message: 'is not a known field' }
  }
  if (keyword === 'required') return { path: `${instancePath}/${params.missingProperty}`, message: 'is missing' }
  if (keyword === 'enum') return { path: instancePath, message: `must be one of: ${params.allowedValues.join(', ')}` }
  const said = keyword === 'pattern' ? (parentSchema as { description?: string }).description : undefined
  return { path: instancePath, message: said ?? message ?? 'does not fit' }
}
