import { WebSocket } from 'ws'
import type { CommandName } from '../../contract/commands.js'

/** What comes of a command: its code, `OK` of a success, and the answer as text. */
export type Answered = (code: string, text: string) => void

export interface ClientOptions {
  url: string
  userId: string
  token: string
  /** Hears of each event that the server sends, by its name. */
  onEvent(name: string): void
  onGone(client: SoakClient): void
}

export type SoakClient = ReturnType<typeof createClient>

/** A client that costs little, so that thousands fit into one process: frames as they are, and of what comes only what is needed is read. */
export function createClient({ url, userId, token, onEvent, onGone }: ClientOptions) {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  })
  const asked = new Map<number, Answered>()
  let lastId = 0
  let isIn = false
  let isDeaf = false

  ws.on('error', () => {})
  ws.on('open', () => ws.send(`40{"token":${JSON.stringify(token)}}`))
  ws.on('close', () => {
    for (const answered of asked.values()) answered('gone', '')
    asked.clear()
    onGone(client)
  })
  ws.on('message', (data) => {
    const frame = String(data)
    if (frame === '2') {
      if (!isDeaf) ws.send('3')
    } else if (frame.startsWith('43')) hearAck(frame)
    else if (frame.startsWith('42["')) onEvent(frame.slice(4, frame.indexOf('"', 4)))
    else if (frame.startsWith('40')) isIn = true
  })

  function hearAck(frame: string): void {
    const at = frame.indexOf('[')
    const id = Number(frame.slice(2, at))
    const answered = asked.get(id)
    asked.delete(id)
    const code = frame.startsWith('[{"ok":true', at) ? 'OK' : (/"code":"(\w+)"/.exec(frame)?.[1] ?? 'odd')
    answered?.(code, frame.slice(at))
  }

  const client = {
    userId,
    isIn: () => isIn && ws.readyState === WebSocket.OPEN,

    ask(command: CommandName, payload: object, answered: Answered): void {
      if (!client.isIn()) return
      lastId += 1
      asked.set(lastId, answered)
      ws.send(`42${lastId}[${JSON.stringify(command)},${JSON.stringify(payload)}]`)
    },

    /** Goes, in one of the ways that people go. */
    go(how: 'close' | 'terminate' | 'leave' | 'logout' | 'sleep'): void {
      if (how === 'close') ws.close()
      else if (how === 'leave' && client.isIn()) ws.send('41', () => ws.close())
      else if (how === 'logout' && client.isIn()) client.ask('logout', {}, () => {})
      else if (how === 'sleep' && client.isIn()) isDeaf = true
      else ws.terminate()
    },
  }
  return client
}
