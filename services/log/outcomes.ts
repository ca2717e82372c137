import type { Range } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { REFUSALS, type Told } from './refusals.js'

/** What a change wrote in its chat's log: nothing, when all was so already. */
export interface WrittenRow extends Record<string, unknown> {
  of_chat: string
  after: number
  through: number
}

/** What came of a function that may refuse. */
export interface Outcome extends Told {
  outcome: 'ok' | 'same' | keyof typeof REFUSALS
}

type OutcomeRow = WrittenRow & Outcome

/** A change that is made by one SQL function. */
export interface Call {
  /** The function, which is the name that the statement is prepared under, too. */
  name: string
  args: string
  /** The names of its columns, where it answers a single value. */
  columns?: string
  /** Which of its columns, or which argument, is the chat. */
  chat: string
  /** How many revisions it writes at most. */
  lines: string
}

/** Makes a change and answers its row, with what it wrote: all of that in one statement, under the chat's lock. */
export function write<Row extends WrittenRow>(
  db: Pick<Database, 'run'>,
  call: Call,
  values: unknown[],
): Promise<Row[]> {
  const { name, args, columns = '', chat, lines } = call
  const text = `SELECT f.*, ${chat} AS of_chat, w.after, w.through
    FROM ${name}(${args}) AS f ${columns} CROSS JOIN LATERAL log_wrote(${chat}, ${lines}) AS w`
  return db.run<Row>(name, text, values)
}

/** Makes a change that has an outcome; a refusal is thrown as its error of the catalogue. */
export async function change<Row extends OutcomeRow>(
  db: Pick<Database, 'run'>,
  call: Call,
  values: unknown[],
): Promise<Row> {
  const [row] = await write<Row>(db, call, values)
  return granted(row)
}

/** A row that says ok; any other is thrown as its error. */
export function granted<Row extends Outcome>(row: Row | undefined): Row {
  if (row?.outcome === 'ok' || row?.outcome === 'same') return row
  throw REFUSALS[row?.outcome ?? 'no_chat'](row ?? {})
}

/** What a change wrote, as a range of revisions. */
export const rangeOf = ({ after, through }: WrittenRow): Range => ({ after, through })
