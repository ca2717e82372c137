import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { ChatClientOptions, Connection } from './api.js'
import { createCommand } from './command.js'
import { createSource } from './store.js'
import type { Closing, ErrorBody, ServerToClientEvents } from './wire.js'

/** How long to wait, at least, before coming back to a server that has ended the connection without saying when. */
const AGAIN_MS = 500
const MAX_AGAIN_MS = 30_000

/** What `fetch` rejects with where there is no network: a token may be had later. */
const isOfNetwork = (reason: unknown): boolean =>
  reason instanceof Error && /^(Type|Network|Timeout)Error$/.test(reason.name)

export type Link = ReturnType<typeof createConnection>

/** The socket, its tokens and its states; whoever listens to `socket` hears the server's events. */
export function createConnection(options: ChatClientOptions) {
  const { url = '', getToken } = options
  const state = createSource<Connection>({ state: 'connecting', closing: null, error: null })
  /** The token of the last handshake, and the last one that was refused: it is not tried again. */
  let used: string | undefined
  let refused: string | undefined
  /** A token that was asked for before the connection. */
  let held: string | undefined
  /** How often in a row there was no way to a token. */
  let failures = 0
  /** Whether a fresh token was refused since the last session, too. */
  let isSecond = false
  let closing: Closing | null = null
  let error: ErrorBody | null = null
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let waiting: (() => void)[] = []
  let isIn = false

  // Below the path of the service's URL; given to Socket.IO as part of the URL, it would name a namespace.
  const [, origin, prefix] = /^([a-z]+:\/\/[^/]+)?(.*?)\/*$/i.exec(url) ?? []
  const socketOptions: Partial<ManagerOptions & SocketOptions> = {
    path: `${prefix}/socket.io`,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    ...options.socket,
    forceNew: true,
    autoConnect: false,
    auth: (send: (auth: object) => void) => {
      const go = (token: string) => {
        held = undefined
        used = token
        send({ token })
      }
      if (held === undefined) withToken(go)
      else go(held)
    },
  }
  const socket: Socket<ServerToClientEvents> = origin ? io(origin, socketOptions) : io(socketOptions)
  const command = createCommand(socket)

  const ask = async (): Promise<string> => getToken()

  /** Goes on with a token that was not refused yet. */
  function withToken(use: (token: string) => void): void {
    const attempt = ++asked
    ask().then(
      (token) => {
        if (attempt !== asked) return
        failures = 0
        if (token === refused) stay()
        else use(token)
      },
      (reason) => {
        if (attempt !== asked) return
        if (isOfNetwork(reason)) later(Math.min(MAX_AGAIN_MS, AGAIN_MS * 2 ** failures++) * (0.5 + Math.random() / 2))
        else stop('needs-token')
      },
    )
  }

  function set(name: Connection['state']): void {
    const last = state.get()
    if (last.state !== name || last.closing !== closing || last.error !== error)
      state.set({ state: name, closing, error })
  }

  /** No other token is tried: of who was signed in too long a new sign-in is wanted. */
  function stay(): void {
    stop((error ?? closing)?.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused')
  }

  function stop(name: 'refused' | 'needs-token' | 'offline'): void {
    clearTimeout(timer)
    asked += 1
    held = undefined
    socket.disconnect()
    set(name)
  }

  function later(ms: number): void {
    stop('offline')
    timer = setTimeout(() => socket.connect(), ms)
  }

  /** The token was refused: another is tried once, where there is one. */
  function renew(): void {
    refused = used
    if (isSecond) {
      stay()
      return
    }
    isSecond = true
    stop('offline')
    withToken((token) => {
      held = token
      socket.connect()
    })
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
