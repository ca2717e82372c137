import { room } from './room.js'
import { shell } from './shell.js'

export const en = { ...shell, room }
