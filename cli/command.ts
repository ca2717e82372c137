import { Refusal } from '../services/refusals/refusal.js'

/** What a command takes by a name: a switch, or a text. */
export interface Option {
  type: 'boolean' | 'string'
  /** How help calls the text. */
  value?: string
  default?: string
  summary: string
}

export type Options = Record<string, Option>

/** What a command takes without a name, in their order. */
export interface Operand {
  name: string
  summary: string
}

/** The options of a command as it was called. */
export type Values<O extends Options> = {
  [K in keyof O]: Option extends O[K] ? string | boolean | undefined : ValueOf<O[K]>
}

type ValueOf<O extends Option> = O['type'] extends 'boolean'
  ? boolean
  : O extends { default: string }
    ? string
    : string | undefined

/** A command as it was called. */
export interface Call<O extends Options = Options> {
  operands: string[]
  values: Values<O>
}

/** A row of the table of commands; help and docs/cli.md are made of it. */
export interface Command<O extends Options = Options> {
  /** One line, for the list of all. */
  summary: string
  /** What else there is to know, in sentences. */
  about: string
  /** None of them has to be there: a command that needs one says so. */
  operands?: Operand[]
  options: O
  /** What follows the name of the program. */
  examples: string[]
  /** What it throws is told in one sentence and ends the process with 1, or with 2 where it was called wrongly. */
  run(call: Call<O>): Promise<void>
}

/** A row whose options are typed for its `run`. */
export function command<const O extends Options>(row: Command<O>): Command {
  return row
}

/** The code of a refusal that ends a process with 2. */
export const WRONG_USE = 'WRONG_USE'

/** Says that a command was called wrongly. */
export const wrongUse = (message: string): Refusal => new Refusal(message, { code: WRONG_USE })

/** The whole number of an option. */
export function wholeNumber(option: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= minimum && value <= maximum) return value
  throw wrongUse(`--${option} must be a whole number from ${minimum} to ${maximum}.`)
}
