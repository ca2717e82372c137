import type { Words } from '../type.js'
import { message } from './message.js'
import { room } from './room.js'
import { sheets } from './sheets.js'
import { shell } from './shell.js'

export const ru: Words = { ...shell, ...sheets, message, room }
