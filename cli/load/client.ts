import { WebSocket } from 'ws'

/** What is looked at of a message. */
interface Message {
  seq: number
  clientMessageId: string | null
  sender: { userId: string }
}

/** What is looked at of the server's events. */
type ServerEvent = ['new_message', Message] | ['closing', { code: string }] | ['session', object]

/** What the client of a user is told. */
export interface ClientListener {
  onMessage(message: Message): void
  onGone(reason: string): void
}

/** What a command is answered. */
export interface Answer {
  ok: boolean
  error?: { code: string }
}

export interface LoadClient {
  send(chatId: string, content: string, clientMessageId: string): Promise<Answer>
  close(): void
}

const CONNECT_MS = 15_000

/** Connects a socket in the names of Engine.IO 4 and Socket.IO 5, without polling; ready when its `session` has come. */
export function connectClient(url: URL, path: string, token: string, listener: ClientListener): Promise<LoadClient> {
  const at = new URL(`${path}/?EIO=4&transport=websocket`, url)
  at.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(at, { handshakeTimeout: CONNECT_MS, perMessageDeflate: false })
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  let isClosing = false
  let closing = ''

  const client: LoadClient = {
    send(chatId, content, clientMessageId) {
      asked += 1
      const id = asked
      const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve))
      socket.send(`42${id}${JSON.stringify(['send_message', { chatId, content, clientMessageId }])}`)
      return answer
    },
    close() {
      isClosing = true
      socket.close()
    },
  }

  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => fail('no session came'), CONNECT_MS)
    let isReady = false

    function fail(reason: string): void {
      clearTimeout(giveUp)
      socket.terminate()
      if (!isReady) reject(new Error(reason))
      else if (!isClosing) listener.onGone(reason)
      isClosing = true
    }

    function onEvent([name, payload]: ServerEvent): void {
      if (name === 'new_message') listener.onMessage(payload)
      else if (name === 'closing') closing = payload.code
      else if (name === 'session') {
        clearTimeout(giveUp)
        isReady = true
        resolve(client)
      }
    }

    function onPacket(packet: string): void {
      if (packet.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`)
      else if (packet === '2') socket.send('3')
      else if (packet.startsWith('44')) fail(reasonOf(packet.slice(2)))
      else if (packet.startsWith('43')) {
        const at = packet.indexOf('[')
        const id = Number(packet.slice(2, at))
        waiting.get(id)?.(JSON.parse(packet.slice(at))[0])
        waiting.delete(id)
      } else if (packet.startsWith('42')) {
        onEvent(JSON.parse(packet.slice(2)))
      }
    }

    socket.on('message', (data) => onPacket(String(data)))
    socket.on('error', ({ message }) => fail(message))
    socket.on('unexpected-response', (_request, { statusCode }) => fail(`HTTP ${statusCode}`))
    socket.on('close', () => fail(closing || 'the connection ended'))
  })
}

/** A refusal of the handshake that will not get better says why. */
function reasonOf(text: string): string {
  const { data, message }: { message?: string; data?: { code?: string } } = JSON.parse(text)
  return data?.code ?? message ?? 'refused'
}
