import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Ack } from '../../contract/types.js'
import type { Owner } from './postgres.js'

const PATIENCE_MS = 15_000

/** Opens a WebSocket; with a token it joins the namespace, too. */
export async function openRaw(t: Owner, url: string, token?: string) {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  t.teardown(() => ws.terminate())
  const heard: string[] = []
  const listeners = new Set<() => void>()
  let isClosed = false
  let lastId = 1_000
  const tell = () => {
    for (const look of [...listeners]) look()
  }

  ws.on('error', () => {})
  ws.on('close', () => {
    isClosed = true
    tell()
  })
  ws.on('message', (data) => {
    const frame = String(data)
    if (frame === '2') return ws.send('3')
    heard.push(frame)
    tell()
  })

  /** The first frame that starts so, taken out; null when the connection is closed before. */
  function take(start: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(() => reject(new Error(`no ${start} within ${PATIENCE_MS} ms`))), PATIENCE_MS)
      function done(settle: () => void): void {
        clearTimeout(timer)
        listeners.delete(look)
        settle()
      }
      function look(): void {
        const at = heard.findIndex((frame) => frame.startsWith(start))
        if (at >= 0) done(() => resolve(heard.splice(at, 1)[0] as string))
        else if (isClosed) done(() => resolve(null))
      }
      listeners.add(look)
      look()
    })
  }

  const client = {
    /** What came and was not taken. */
    heard,
    take,
    send(...frames: (string | Buffer)[]): void {
      for (const frame of frames) ws.send(frame)
    },

    /** Sends a packet with an ack; its arguments are JSON as it goes over the wire. Null when the connection is closed instead. */
    async ask(event: string, ...args: string[]): Promise<Ack<unknown> | null> {
      lastId += 1
      ws.send(`42${lastId}[${[JSON.stringify(event), ...args].join(',')}]`)
      const answer = await take(`43${lastId}[`)
      return answer === null ? null : (JSON.parse(answer.slice(`43${lastId}`.length))[0] as Ack<unknown>)
    },

    /** Reads nothing more, as a device that sleeps, or again. */
    pause: () => ws.pause(),
    resume: () => ws.resume(),

    close: () => ws.close(),
    /** Is gone without a word. */
    cut: () => ws.terminate(),
  }
  await once(ws, 'open')
  if (token !== undefined) {
    client.send(`40${JSON.stringify({ token })}`)
    if ((await take('40{')) === null) throw new Error('the raw client was not let in')
  }
  return client
}
