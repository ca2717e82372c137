import type { TSchema } from '@sinclair/typebox'
import { MessageId } from '../../contract/fields.js'

/** A value that fits a schema of the contract, with no more fields than it needs; its ids are `bob`. */
export function sampleOf(schema: TSchema): unknown {
  if (schema.pattern === MessageId.pattern) return '00000000-0000-7000-8000-000000000000'
  if (schema.enum) return schema.enum[0]
  if (schema.type === 'array') return [sampleOf(schema.items)]
  if (schema.type === 'integer') return schema.minimum
  if (schema.type === 'boolean') return true
  if (schema.type !== 'object') return 'bob'
  if (schema.propertyNames) return { [String(sampleOf(schema.propertyNames))]: sampleOf(schema.additionalProperties) }
  const needed: string[] = [...(schema.required ?? []), ...(schema.anyOf?.[0].required ?? [])]
  return Object.fromEntries(needed.map((field) => [field, sampleOf(schema.properties[field])]))
}
