import { Kind } from '@sinclair/typebox'
import * as contract from '../../../contract/index.js'
import { sentenceOf } from '../sentences.js'

/** A JSON schema, or a part of a document. */
export type Json = { [keyword: string]: unknown }

/** Keywords whose value is a schema, a list of them, and a map of them. */
const ONE = ['items', 'additionalProperties', 'propertyNames']
const LISTS = ['anyOf', 'oneOf', 'allOf']
const MAP = 'properties'

/** What is part of other shapes and no shape by itself, and what is taken apart into parameters. */
const NO_SHAPE = /^(Time|FileName|MimeType)$|(Query|Params)$/

/** The shapes of the contract by the names of their exports. */
function shapesByName(): [string, Json][] {
  const entries: [string, unknown][] = Object.entries(contract)
  return entries.filter((entry): entry is [string, Json] => {
    const [name, value] = entry
    return isSchema(value) && Kind in value && !NO_SHAPE.test(name)
  })
}

/** Gathers the schemas of a document: what has a name in the contract becomes a component, and is referred to wherever it stands. */
export function createSchemas() {
  const components = new Map<string, Json>()
  const names = new Map<unknown, string>()
  for (const [name, schema] of shapesByName().reverse()) {
    names.set(schema, name)
    names.set(JSON.stringify(schema), name)
  }

  /** By identity, else by what it says: TypeBox copies what is optional. */
  const nameOf = (schema: Json): string | undefined => names.get(schema) ?? names.get(JSON.stringify(schema))

  function refer(name: string, schema: Json): Json {
    if (!components.has(name)) {
      // The place is taken first, for a shape may hold itself.
      components.set(name, {})
      const description = sentenceOf(name)
      components.set(name, { ...(description && { description }), ...write(schema) })
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  /** What JSON Schema knows of a schema; what only our validator knows is told in words. */
  function write({ title: _title, plainJson, isTime, default: standard, ...schema }: Json): Json {
    const written: Json = { ...schema }
    // Generators take a field that has a default for one that is always given.
    if (standard !== undefined) written.description = `${standard} where it is not given.`
    else if (typeof schema.description === 'string') written.description = capitalized(schema.description)
    for (const keyword of ONE) if (isSchema(schema[keyword])) written[keyword] = of(schema[keyword])
    for (const keyword of LISTS) {
      const list = schema[keyword]
      if (Array.isArray(list)) written[keyword] = list.map((item) => (isSchema(item) ? of(item) : item))
    }
    const properties = schema[MAP]
    if (isSchema(properties)) {
      const entries = Object.entries(properties).map(([name, field]) => [name, isSchema(field) ? of(field) : field])
      written[MAP] = Object.fromEntries(entries)
    }
    if (isTime || schema.description === contract.Time.description) written.format = 'date-time'
    if (typeof schema.pattern === 'string') written.pattern = portable(schema.pattern)
    if (isSchema(plainJson)) {
      written.description = `Free JSON of an app: at most ${plainJson.maxBytes} bytes and ${plainJson.maxDepth} levels deep.`
    }
    return written
  }

  /** A schema as it stands in the document. */
  function of(schema: Json): Json {
    const name = nameOf(schema)
    return name === undefined ? write(schema) : refer(name, schema)
  }

  return {
    of,

    /** A schema under a name: its own in the contract, its title, or else the one given. */
    named(name: string, schema: Json): Json {
      const own = nameOf(schema) ?? schema.title
      return refer(typeof own === 'string' ? own : name, schema)
    },

    /** What is made for a document alone: its parts are written already. */
    define(name: string, written: Json): Json {
      components.set(name, written)
      return { $ref: `#/components/schemas/${name}` }
    },

    /** All that were referred to, by name. */
    components(): Json {
      return Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1)))
    },
  }
}

/**
 * A pattern without classes of Unicode, which not every tool knows. Lone surrogates are refused all the same; a pattern of units, in which half of
 * an emoji is one, cannot say so.
 */
const portable = (pattern: string): string =>
  pattern.replaceAll('\\p{Cc}', '\\u0000-\\u001F\\u007F-\\u009F').replaceAll('\\p{Cs}', '')

export type Schemas = ReturnType<typeof createSchemas>

const isSchema = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `send_message` → `SendMessage`. */
export const pascal = (name: string): string =>
  name.replace(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase())

/** `send_message` → `Send message`. */
export const humanized = (name: string): string => capitalized(name.replaceAll('_', ' '))

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
