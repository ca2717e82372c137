import { customType } from 'drizzle-orm/pg-core'
import { readTime } from '../time.js'

const timeOf = (type: string) =>
  customType<{ data: string; driverData: string }>({ dataType: () => type, fromDriver: readTime })
/** Times are RFC 3339 text whichever way they are read: a Date between would only be written out again. */
export const time = timeOf('timestamp (3) with time zone')
/** The same with all that the clock told. */
export const timeInFull = timeOf('timestamp with time zone')
/** Bytes as they are. */
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
/** Ids are bytes to us: no locale orders them, makes their comparison slow, or breaks their indexes when it changes. */
export const id = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })
/** The number of a transaction, which is never given again while a database lives; written by its default alone. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })
