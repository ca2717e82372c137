import type { Socket as TcpSocket } from 'node:net'
import type { ChatSocket } from './types.js'

const corked = new Set<TcpSocket>()

function release(): void {
  for (const tcp of corked) tcp.uncork()
  corked.clear()
}

/** Holds back what is written to a websocket in this turn: the answers and events that one commit brings it leave in one system call. */
export function cork({ conn }: ChatSocket): void {
  const { socket } = conn.transport as unknown as { socket?: { _socket?: TcpSocket | null } }
  const tcp = socket?._socket
  if (!tcp || corked.has(tcp)) return
  tcp.cork()
  corked.add(tcp)
  if (corked.size === 1) setImmediate(release)
}
