import { escaped, inline } from './markdown.js'

/** The parts of a JSON schema that the page tells. */
export interface Schema {
  $ref?: string
  description?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: string[]
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
}

/** The name of a component that a reference names. */
export const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

/** A schema's type, in which shapes lead to where they are told. */
export function typeOf(schema: Schema): string {
  const { $ref, type, items, properties, additionalProperties } = schema
  if ($ref) return `<a href="#${nameOf($ref)}">${nameOf($ref)}</a>`
  if (schema.const !== undefined) return escaped(JSON.stringify(schema.const))
  const choices = schema.anyOf ?? schema.oneOf
  if (choices && !properties) return choices.map(typeOf).join(' | ')
  if (schema.enum) return schema.enum.map((word) => escaped(JSON.stringify(word))).join(' | ')
  if (properties) return inlineObject(schema)
  if (type === 'array') return `${items ? typeOf(items) : 'any'}[]`
  if (typeof additionalProperties === 'object') return `{ [key]: ${typeOf(additionalProperties)} }`
  return [type ?? 'any'].flat().join(' | ')
}

function inlineObject({ properties = {}, required = [] }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, field]) => `${escaped(name)}${required.includes(name) ? '' : '?'}: ${typeOf(field)}`,
  )
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

const MAX_INT = 2_147_483_647

function range(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === 1 && to === undefined && unit === ' characters') return 'not empty'
  if (to === undefined || to === MAX_INT) return from ? `at least ${from}${unit}` : ''
  return from === undefined ? `up to ${to}${unit}` : `${from} to ${to}${unit}`
}

/** What a field has to keep to, and what it means. */
function limitsOf(schema: Schema): string {
  const text = (schema.description ?? '').replace(/^must be /i, '').replace(/^must not be /i, 'not ')
  const isSaid = schema.description?.startsWith('Must be 1 to')
  return [
    isSaid ? '' : range(schema.minLength, schema.maxLength, ' characters'),
    range(schema.minimum, schema.maximum, ''),
    range(schema.minItems, schema.maxItems, ' items'),
    range(schema.minProperties, schema.maxProperties, ' entries'),
    text,
  ]
    .filter(Boolean)
    .map(inline)
    .join('; ')
}

/** The fields of an object as a table; what is none is told by its type. */
export function fieldsOf(schema: Schema): string {
  if (!schema.properties) return `<p><code>${typeOf(schema)}</code></p>`
  const { properties, required = [] } = schema
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? '' : '<span class="soft">?</span>'
    return `<tr><td><code>${escaped(name)}</code>${optional}</td><td><code>${typeOf(field)}</code></td><td>${limitsOf(field)}</td></tr>`
  })
  return rows.length === 0 ? '<p class="soft">Nothing.</p>' : table(['field', 'type', 'limits'], rows)
}

/** A table of rows that are HTML already. */
export function table(head: string[], rows: string[]): string {
  const cells = head.map((cell) => `<th scope="col">${cell}</th>`).join('')
  return `<table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}
