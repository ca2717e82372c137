import type { Words } from '../type.js'

/** What a message and the composer say. */
export const message: Words['message'] = {}
