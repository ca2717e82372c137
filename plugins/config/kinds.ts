import { Type } from '@sinclair/typebox'

/** A pattern, and what it asks for in words, as they follow "must be". */
export interface Form {
  pattern: string
  form: string
}

/** On or off. */
export const Flag = (standard: boolean, description: string) => Type.Boolean({ default: standard, description })
/** A text that may be unset. */
export const Text = (description: string, form?: Form) => Type.Optional(Type.String({ description, ...form }))
/** Comma-separated parts, each of a pattern. */
export const List = (description: string, { pattern, form }: Form) =>
  Text(description, { pattern: `^\\s*(${pattern})\\s*(,\\s*(${pattern})\\s*)*$`, form })
/** A whole number within bounds. */
export const Count = (standard: number, description: string, minimum: number, maximum: number) =>
  Type.Integer({ default: standard, minimum, maximum, description })
