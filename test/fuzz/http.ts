import { connect, type Socket } from 'node:net'

/** An answer of HTTP/1.1, as it came. */
export interface HttpAnswer {
  status: number
  headers: Map<string, string>
  body: string
}

const PATIENCE_MS = 30_000
const HEAD_END = '\r\n\r\n'

/** Sends requests byte by byte as they are given, one after the other, and reads what comes; opens anew when it was closed. */
export function createHttp(url: string) {
  const { hostname, port } = new URL(url)
  let socket: Socket | undefined
  let isFresh = true

  function open(): Socket {
    isFresh = !socket || socket.destroyed || !socket.writable
    if (socket && !isFresh) return socket
    socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    return socket
  }

  function send(request: Buffer, isHead: boolean, patienceMs: number): Promise<HttpAnswer | 'closed' | 'late'> {
    const current = open()
    return new Promise((resolve) => {
      let heard = Buffer.alloc(0)
      const timer = setTimeout(() => done('late'), patienceMs)
      function done(answer: HttpAnswer | 'closed' | 'late', goesOn = false): void {
        clearTimeout(timer)
        current.off('data', onData).off('close', onClose)
        if (!goesOn) current.destroy()
        resolve(answer)
      }
      function onData(chunk: Buffer): void {
        heard = Buffer.concat([heard, chunk])
        const answer = read(heard, isHead)
        if (answer) done(answer, answer.headers.get('connection') !== 'close' && answer.status >= 200)
      }
      function onClose(): void {
        const head = heard.indexOf(HEAD_END)
        done(head < 0 ? 'closed' : { ...readHead(heard, head), body: heard.toString('utf8', head + 4) })
      }
      current.on('data', onData).on('close', onClose)
      current.write(request)
    })
  }

  return {
    /** The answer to a request; `closed` when the connection ended without one, `late` when none came in time. */
    async ask(request: Buffer, isHead: boolean, patienceMs = PATIENCE_MS): Promise<HttpAnswer | 'closed' | 'late'> {
      const answer = await send(request, isHead, patienceMs)
      // The server may have closed after the answer before: any client asks anew.
      return answer === 'closed' && !isFresh ? send(request, isHead, patienceMs) : answer
    },

    close: (): void => void socket?.destroy(),
  }
}

/** One whole answer, or null while some of it is missing. */
function read(heard: Buffer, isHead: boolean): HttpAnswer | null {
  const head = heard.indexOf(HEAD_END)
  if (head < 0) return null
  const { status, headers } = readHead(heard, head)
  const start = head + HEAD_END.length
  // What goes before the answer.
  if (status < 200) return status === 101 ? { status, headers, body: '' } : read(heard.subarray(start), isHead)
  if (isHead || status === 204 || status === 304) return { status, headers, body: '' }
  const length = headers.get('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return heard.length < end ? null : { status, headers, body: heard.toString('utf8', start, end) }
  }
  if (headers.get('transfer-encoding') !== 'chunked') return null
  const rest = heard.toString('utf8', start)
  return rest.endsWith(`0${HEAD_END}`) ? { status, headers, body: rest.replace(/(^|\r\n)[\da-f]+\r\n/gi, '') } : null
}

function readHead(heard: Buffer, end: number): Pick<HttpAnswer, 'status' | 'headers'> {
  const [first = '', ...lines] = heard.toString('latin1', 0, end).split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [
      line.slice(0, colon).toLowerCase(),
      line
        .slice(colon + 1)
        .trim()
        .toLowerCase(),
    ]
  })
  return { status: Number(first.split(' ')[1]), headers: new Map(headers) }
}
