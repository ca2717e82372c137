import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { ChatClientOptions, Connection } from './api.js'
import { createCommand } from './command.js'
import { createSource, isSame } from './store.js'
import type { Closing, ErrorBody, ServerToClientEvents } from './wire.js'

/** How long to wait, at least, before coming back to a server that has ended the connection without saying when. */
const AGAIN_MS = 500
const MAX_AGAIN_MS = 30_000
/** A token that lives shorter than the server warns ahead is warned of at once, and so is the next: one is asked for so often, at most. */
const REFRESH_MS = 10_000

/** What `fetch` rejects with where there is no network: a token may be had later. */
const isOfNetwork = (reason: unknown): boolean =>
  reason instanceof Error && /^(Type|Network|Timeout)Error$/.test(reason.name)

/** Longer each time, so that neither the server nor who makes tokens is asked in a storm. */
const backOffMs = (failures: number): number =>
  Math.min(MAX_AGAIN_MS, AGAIN_MS * 2 ** failures) * (0.5 + Math.random() / 2)

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
  /** Since the last session: how often one was put off, and whether a fresh token was refused, too. */
  let failures = 0
  let isSecond = false
  let closing: Closing | null = null
  let error: ErrorBody | null = null
  let asked = 0
  let refreshedAt = 0
  /** Of the next connection, or of the next refresh. */
  let timer: ReturnType<typeof setTimeout> | undefined
  let waiting: (() => void)[] = []
  let isIn = false

  const socket = createSocket(url, options.socket, (send) => withToken((token) => send({ token })))
  const command = createCommand(socket)
  const ask = async (): Promise<string> => getToken()

  /** Goes on with a token that was not refused yet. */
  function withToken(use: (token: string) => void): void {
    const attempt = ++asked
    const go = (token: string): void => {
      held = undefined
      if (token === refused) return void stay()
      used = token
      use(token)
    }
    const fail = (reason: unknown): void => (isOfNetwork(reason) ? later(backOffMs(failures++)) : stop('needs-token'))
    Promise.resolve(held ?? ask()).then(
      (token) => attempt === asked && go(token),
      (reason) => attempt === asked && fail(reason),
    )
  }

  function set(name: Connection['state']): void {
    const next = { state: name, closing, error }
    if (!isSame(next, state.get())) state.set(next)
  }

  /** No other token is tried: of who was signed in too long a new sign-in is wanted. */
  function stay(): void {
    stop((error ?? closing)?.code === 'TOKEN_EXPIRED' ? 'needs-token' : 'refused')
  }

  function stop(name: Exclude<Connection['state'], 'online'>): void {
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

  /** Nothing is held against the next token. */
  function forgive(): void {
    closing = error = null
    refused = undefined
    isSecond = false
    failures = 0
  }

  /** The token was refused: another is tried once, where there is one. */
  function renew(): void {
    refused = used
    if (isSecond) return void stay()
    isSecond = true
    stop('offline')
    withToken((token) => {
      held = token
      socket.connect()
    })
  }

  socket.on('closing', (reason) => (closing = reason))
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
    else if (error?.retryable) later(error.retryAfterMs ?? backOffMs(failures++))
    else stop('refused')
  })
  socket.on('connect', () => set('connecting'))
  socket.on('token_expiring', () => {
    clearTimeout(timer)
    // Where it fails the token ends, and that is told.
    timer = setTimeout(() => refresh().catch(() => {}), refreshedAt + REFRESH_MS - Date.now())
  })
  async function refresh(): Promise<void> {
    if (!isIn) return
    refreshedAt = Date.now()
    const token = await ask()
    if (token !== used) await command('refresh_token', { token })
    used = token
  }

  return {
    socket,
    state,
    command,
    /** The token of the session; without one, a new one. */
    token: async (): Promise<string> => (isIn && used) || ask(),

    /** The session has been taken in: commands of rooms may go. */
    enter(): void {
      forgive()
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
      forgive()
      stop('connecting')
      socket.connect()
    },

    close(): void {
      waiting = []
      stop('offline')
      isIn = false
    },
  }
}

/** A socket that waits for `connect`. Below the path of a URL, so is Socket.IO: given to it as it is, the path would name a namespace. */
function createSocket(
  url: string,
  options: object | undefined,
  auth: (send: (auth: object) => void) => void,
): Socket<ServerToClientEvents> {
  const [origin = ''] = /^[a-z]+:\/\/[^/]+/i.exec(url) ?? []
  const prefix = url.slice(origin.length).split('/').filter(Boolean)
  const all: Partial<ManagerOptions & SocketOptions> = {
    path: ['', ...prefix, 'socket.io'].join('/'),
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    ...options,
    forceNew: true,
    autoConnect: false,
    auth,
  }
  return origin ? io(origin, all) : io(all)
}
