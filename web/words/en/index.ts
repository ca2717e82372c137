import { message } from './message.js'
import { room } from './room.js'
import { sheets } from './sheets.js'
import { shell } from './shell.js'

export const en = { ...shell, ...sheets, message, room }
