import type { Words } from '../type.js'
import { room } from './room.js'
import { shell } from './shell.js'

export const ru: Words = { ...shell, room }
