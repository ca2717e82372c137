import type { Words } from '../type.js'
import { message } from './message.js'
import { room } from './room.js'
import { shell } from './shell.js'

export const ru: Words = { ...shell, message, room }
