import type { TSchema } from '@sinclair/typebox'

/** The parts of a JSON schema that are told; TypeBox's own types hide which of them a schema has. */
interface Schema {
  title?: string
  description?: string
  type?: string | string[]
  enum?: string[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  default?: unknown
  plainJson?: { maxBytes: number; maxDepth: number }
}

const NAMES: Record<string, string> = { integer: 'number', object: 'object' }
const MAX_INT = 2_147_483_647

/** A schema as a TypeScript type; shapes that have a title go by it. */
export function toType(schema: TSchema): string {
  return typeOf(schema as Schema)
}

/** A titled shape as an interface. */
export function toInterface(schema: TSchema): string {
  return `interface ${schema.title} ${body(schema as Schema, '')}`
}

/** An input with its limits, or an answer. */
export function toBody(schema: TSchema): string {
  return body(schema as Schema, '')
}

/** The fields of an object: `chatId, limit?`. */
export function toFields(schema: TSchema): string {
  const { properties = {}, required = [] } = schema as Schema
  return Object.keys(properties)
    .map((name) => (required.includes(name) ? name : `${name}?`))
    .join(', ')
}

function typeOf(schema: Schema): string {
  if (schema.title) return schema.title
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ')
  if (schema.anyOf && !schema.properties) return schema.anyOf.map(typeOf).join(' | ')
  if (schema.type === 'array') {
    const item = schema.items ? typeOf(schema.items) : 'unknown'
    return item.includes(' | ') ? `(${item})[]` : `${item}[]`
  }
  if (schema.properties) return inline(schema)
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'unknown']
  return types.map((type) => NAMES[type] ?? type).join(' | ')
}

function inline({ properties = {}, required = [] }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(field)}`,
  )
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

function body({ properties = {}, required = [] }: Schema, indent: string): string {
  const lines = Object.entries(properties).map(([name, field]) => {
    const limits = toLimits(field)
    const text = `${indent}  ${name}${required.includes(name) ? '' : '?'}: ${typeOf(field)}`
    return limits ? `${text} // ${limits}` : text
  })
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
}

function toLimits(schema: Schema): string {
  const { description, minLength, maxLength, minimum, maximum, items, minItems, maxItems, plainJson } = schema
  const standard = schema.default === undefined ? '' : `default ${schema.default}`
  if (description?.startsWith('must be ')) return description.slice('must be '.length)
  const limits = [
    range(minLength, maxLength, 'characters'),
    range(minimum, maximum === MAX_INT ? undefined : maximum, ''),
    schema.type === 'array' ? range(minItems, maxItems, 'items') : '',
    plainJson ? `up to ${plainJson.maxBytes} bytes, ${plainJson.maxDepth} levels deep` : '',
    standard,
    description ?? '',
  ]
  // A reference to a shape, and a list of them, say their limits where they stand.
  return (schema.title || items?.title ? limits.slice(2) : limits).filter(Boolean).join(', ')
}

function range(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return ''
  if (to === undefined && from === 0) return ''
  if (to === undefined && unit === 'characters') return 'not empty'
  const words = to === undefined ? `at least ${from}` : from === undefined ? `up to ${to}` : `${from} to ${to}`
  return `${words} ${unit}`.trim()
}
