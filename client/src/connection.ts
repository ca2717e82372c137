import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { ChatClientOptions, Connection } from './api.js'
import { createCommand } from './command.js'
import { createSource } from './store.js'
import type { Closing, ErrorBody, ServerToClientEvents } from './wire.js'

/** How long to wait, at least, before coming back to a server that has ended the connection without saying when. */
const AGAIN_MS = 500

export type Link = ReturnType<typeof createConnection>

/** The socket, its tokens and its states; whoever listens to `socket` hears the server's events. */
export function createConnection(options: ChatClientOptions) {
  const { url = '', getToken } = options
  const state = createSource<Connection>({ state: 'connecting', closing: null, error: null })
  /** The token of the last handshake, and the last one that was refused: it is not tried again. */
  let used: string | undefined
  let refused: string | undefined
  /** Whether a fresh token was refused since the last session, too. */
  let isSecond = false
  let closing: Closing | null = null
  let error: ErrorBody | null = null
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let waiting: (() => void)[] = []
  let isIn = false

  const socketOptions: Partial<ManagerOptions & SocketOptions> = {
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    ...options.socket,
    forceNew: true,
    autoConnect: false,
    auth: (send: (auth: object) => void) => {
      const attempt = ++asked
      ask().then(
        (token) => {
          if (attempt !== asked) return
          if (token === refused) return stop('refused')
          used = token
          send({ token })
        },
        () => attempt === asked && stop('needs-token'),
      )
    },
  }
  const socket: Socket<ServerToClientEvents> = url ? io(url, socketOptions) : io(socketOptions)
  const command = createCommand(socket)

  const ask = async (): Promise<string> => getToken()
  function set(name: Connection['state']): void {
    const last = state.get()
    if (last.state !== name || last.closing !== closing || last.error !== error)
      state.set({ state: name, closing, error })
  }

  function stop(name: 'refused' | 'needs-token' | 'offline'): void {
    clearTimeout(timer)
    asked += 1
    socket.disconnect()
    set(name)
  }

  function later(ms: number): void {
    stop('offline')
    timer = setTimeout(() => socket.connect(), ms)
  }

  /** The token was refused: another is tried once. */
  function renew(): void {
    refused = used
    if (isSecond) stop('refused')
    else later(0)
    isSecond = true
  }

  socket.on('closing', (reason) => {
    closing = reason
  })
  socket.on('disconnect', (reason) => {
    isIn = false
    if (reason === 'io client disconnect') return
    if (closing && !closing.retryable) return closing.code === 'TOKEN_EXPIRED' ? renew() : stop('refused')
    if (closing?.reconnectInMs) return later(closing.reconnectInMs)
    // After the server's own disconnect Socket.IO would stay away.
    if (reason === 'io server disconnect') return later(AGAIN_MS * (1 + Math.random()))
    set('offline')
  })
  socket.on('connect_error', (failure: Error & { data?: ErrorBody }) => {
    // Without a refusal in it, it is the network, and Socket.IO comes back by itself.
    if (socket.active) return set('offline')
    error = failure.data ?? null
    if (error?.code === 'TOKEN_EXPIRED' || error?.code === 'UNAUTHENTICATED') renew()
    else if (error?.retryable) later(error.retryAfterMs ?? AGAIN_MS)
    else stop('refused')
  })
  socket.on('connect', () => set('connecting'))
  socket.on('token_expiring', () => {
    // Where it fails the token ends, and that is told.
    refresh().catch(() => {})
  })

  async function refresh(): Promise<void> {
    const token = await ask()
    if (token === used) return
    await command('refresh_token', { token })
    used = token
  }

  return {
    socket,
    state,
    command,
    getToken: ask,

    /** The session has been taken in: commands of rooms may go. */
    enter(): void {
      closing = error = null
      refused = undefined
      isSecond = false
      isIn = true
      for (const go of waiting.splice(0)) go()
    },

    /** All is caught up. */
    rise: (): void => (isIn ? set('online') : undefined),
    isIn: (): boolean => isIn,

    /** Settles once there is a session. */
    ready: (): Promise<void> => (isIn ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),

    connect(): void {
      if (socket.connected) return
      clearTimeout(timer)
      closing = error = null
      refused = undefined
      isSecond = false
      socket.disconnect()
      set('connecting')
      socket.connect()
    },

    close(): void {
      waiting = []
      stop('offline')
      isIn = false
    },
  }
}
