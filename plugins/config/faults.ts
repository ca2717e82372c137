import type { TSchema } from '@sinclair/typebox'
import { Settings } from './settings.js'

/** What the validator says of one value; the value itself is in none of it. */
interface Fault {
  instancePath: string
  message?: string
}

/** A sentence for each setting that is wrong, which says what it may be. */
export function sentencesOf(error: Error & { errors?: Fault[] }): string[] {
  const faults = error.errors ?? []
  if (faults.length === 0) return [error.message]
  return [...new Set(faults.map(({ instancePath, message = 'is wrong' }) => sentence(instancePath.slice(1), message)))]
}

function sentence(name: string, otherwise: string): string {
  const schema: TSchema | undefined = new Map(Object.entries(Settings.properties)).get(name)
  const allowed = schema && allowedBy(schema)
  return `${name} ${allowed ? `must be ${allowed}` : otherwise}`
}

function allowedBy({ type, enum: values, minimum, maximum, form }: TSchema): string | undefined {
  if (form) return form
  if (values) return `one of ${values.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  return undefined
}
