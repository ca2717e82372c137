import { randomBytes } from 'node:crypto'

/** The secrets of one run; the servers get them by their environment. */
export const SECRET = randomBytes(32).toString('hex')
export const API_KEY = randomBytes(32).toString('hex')
