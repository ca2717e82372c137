import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { WebSocket } from 'ws'
import type { Frame, Step } from './frames.js'

/** A connection of Engine.IO, as bare as it goes over the wire. */
export interface Wire {
  send(step: Step): void
  /** Hears each text frame but the pings, which are answered. */
  onFrame: (frame: string) => void
  /** Settles when it is gone, whoever ended it. */
  closed: Promise<void>
  isClosed(): boolean
  close(): void
}

const SEPARATOR = '\u001e'
const agent = new Agent({ keepAlive: true })

/** A WebSocket; it is open when this settles. */
export async function openWebsocket(url: string): Promise<Wire> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  let isClosed = false
  const closed = new Promise<void>((resolve) => {
    ws.on('error', () => {})
    ws.on('close', () => {
      isClosed = true
      resolve()
    })
  })
  const wire: Wire = {
    closed,
    isClosed: () => isClosed,
    onFrame: () => {},
    close: () => ws.terminate(),
    send({ frames, as }) {
      if (ws.readyState !== WebSocket.OPEN) return
      for (const frame of frames) {
        if (as === 'bytes') socketOf(ws)?.write(frame)
        else if (as === 'fragments') sendParts(ws, frame)
        else ws.send(frame)
      }
    },
  }
  ws.on('message', (data, isBinary) => {
    const frame = isBinary ? '' : String(data)
    if (frame === '2') ws.send('3')
    else wire.onFrame(frame)
  })
  await Promise.race([once(ws, 'open').catch(() => {}), closed])
  return wire
}

const socketOf = (ws: object): { write(data: Frame): void } | undefined =>
  (ws as { _socket?: { write(data: Frame): void } })._socket

/** One message in three parts, the last of them empty. */
function sendParts(ws: WebSocket, frame: Frame): void {
  const half = Math.floor(frame.length / 2)
  const binary = typeof frame !== 'string'
  // Cut as bytes: a part may end in the middle of a character.
  const bytes = Buffer.from(frame)
  ws.send(bytes.subarray(0, half), { fin: false, binary })
  ws.send(bytes.subarray(half), { fin: false, binary })
  ws.send(Buffer.alloc(0), { fin: true, binary })
}

/** A session of HTTP long-polling. */
export async function openPolling(url: string): Promise<Wire> {
  const base = `${url}/socket.io/?EIO=4&transport=polling`
  let end: () => void = () => {}
  let isClosed = false
  const closed = new Promise<void>((resolve) => {
    end = () => {
      isClosed = true
      resolve()
    }
  })
  let posts = Promise.resolve()
  const wire: Wire = {
    closed,
    isClosed: () => isClosed,
    onFrame: () => {},
    close: end,
    send({ frames }) {
      for (const frame of frames) {
        const body = typeof frame === 'string' ? frame : `b${frame.toString('base64')}`
        posts = posts.then(async () => {
          if (!isClosed && (await call('POST', poll, body)) === null) end()
        })
      }
    },
  }
  let poll = base
  const opening = await call('GET', base)
  if (opening === null) {
    end()
    return wire
  }
  poll = `${base}&sid=${(JSON.parse(opening.slice(1)) as { sid: string }).sid}`
  void (async () => {
    while (!isClosed) {
      const frames = await call('GET', poll)
      if (frames === null) return end()
      for (const frame of frames.split(SEPARATOR)) {
        if (frame === '2') wire.send({ frames: ['3'], as: 'frames' })
        else if (frame === '1') end()
        else wire.onFrame(frame)
      }
    }
  })()
  return wire
}

/** The body of an answer of 200; null for any other, or none. */
function call(method: string, url: string, body?: string): Promise<string | null> {
  return new Promise((resolve) => {
    const headers = body === undefined ? {} : { 'content-type': 'text/plain;charset=UTF-8' }
    const asked = request(url, { method, agent, headers, timeout: 40_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString() : null))
      response.on('error', () => resolve(null))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(null))
    asked.end(body)
  })
}
