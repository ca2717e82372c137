import type { io as connectSocket } from 'socket.io-client'
import type { ChatSocket } from '../client/src/stock.js'

/** Makes one person's socket; the token is asked for anew at each connection. */
export type Connect = (getToken: () => Promise<string>) => ChatSocket

/** Fetches the client that the server serves beside its endpoint. */
export async function loadSocketIO(): Promise<Connect> {
  const path = socketPath()
  const script = `${location.origin}${path}/socket.io.esm.min.js`
  const { io }: { io: typeof connectSocket } = await import(script).catch(() => {
    throw new Error(`There is no Socket.IO endpoint at ${path}: if SOCKET_PATH is set, add ?socket_path=… to this URL.`)
  })
  return (getToken) =>
    io(location.origin, {
      path,
      forceNew: true,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      autoConnect: false,
      auth: (send) => {
        getToken().then(
          (token) => send({ token }),
          () => send({}),
        )
      },
    })
}

/** Where the Socket.IO endpoint is: beside the page, unless the page's URL says `?socket_path=/elsewhere`. */
function socketPath(): string {
  const named = new URLSearchParams(location.search).get('socket_path') ?? 'socket.io'
  return new URL(named, document.baseURI).pathname.replace(/\/$/, '')
}
