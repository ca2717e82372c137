import { message } from './message.js'
import { room } from './room.js'
import { shell } from './shell.js'

export const en = { ...shell, message, room }
