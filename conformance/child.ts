import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a client says of itself when it is asked for `dump`. */
export interface State {
  connection: 'connecting' | 'online' | 'offline' | 'needs-token' | 'refused'
  /** The chats that were opened and that one is still in. */
  chats: Record<string, ChatState>
  /** Keys of what is still to be sent. */
  waiting: string[]
  /** Keys of what was refused for good, with the code and the text, which is lost no more than it is sent. */
  failed: Record<string, { code: string; content: string }>
}

export interface ChatState {
  revision: number
  lastReadSeq: number
  unread: number
  messages: Line[]
}

/** A message as both sides tell it; `reactions` is emoji → count. */
export interface Line {
  id: string
  seq: number
  content: string | null
  reactions: Record<string, number>
  deleted: boolean
}

const PATIENCE_MS = 30_000

export type Child = Awaited<ReturnType<typeof startChild>>

/** Starts a client and speaks the line protocol with it; ready when it has said so. */
export async function startChild([command = '', ...args]: string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, (state: State) => void>()
  let nextId = 1
  let fail = (_error: Error): void => {}
  const broken = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  broken.catch(() => {})
  let begin = (): void => {}
  const ready = new Promise<void>((resolve) => {
    begin = resolve
  })
  child.once('error', fail)
  child.once('exit', (code, signal) => fail(new Error(`the client has ended (${signal ?? code})`)))
  // It may be gone already when it is told something.
  child.stdin.on('error', fail)
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return
    const line = JSON.parse(text)
    if (line.ready) begin()
    waiting.get(line.done)?.(line.state)
    waiting.delete(line.done)
  })

  async function within<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the client has not answered ${what}`)), PATIENCE_MS)
    })
    return Promise.race([promise, tooLate, broken]).finally(() => clearTimeout(timer))
  }

  function order(name: string, fields: object = {}): Promise<State> {
    const id = nextId++
    const answer = new Promise<State>((resolve) => waiting.set(id, resolve))
    child.stdin.write(`${JSON.stringify({ id, do: name, ...fields })}\n`)
    return within(name, answer)
  }

  await within('ready', ready)
  return {
    order,
    dump: (): Promise<State> => order('dump'),
    close: (): Promise<void> => end(child),
  }
}

/** Ends a client: by the end of its stdin, else by force. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 1_000)
  await gone
  clearTimeout(timer)
}
