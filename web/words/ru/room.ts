import type { Words } from '../type.js'

export const room: Words['room'] = {}
