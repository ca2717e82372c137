import { type ChatClient, createChatClient } from '../../client/src/index.js'

/** Where the Socket.IO endpoint is: beside the page, unless the page's URL says `?socket_path=/elsewhere`. */
function socketPath(): string {
  const named = new URLSearchParams(location.search).get('socket_path') ?? 'socket.io'
  return new URL(named, document.baseURI).pathname.replace(/\/$/, '')
}

/** One person's client of the server that the page is from. */
export function createSession(getToken: () => string | Promise<string>): ChatClient {
  return createChatClient({ getToken, socket: { path: socketPath() } })
}

const TOKEN_KEY = 'token'

/** The token that was signed in with; it stays in this tab, over reloads. */
export const keptToken = {
  get: (): string | null => sessionStorage.getItem(TOKEN_KEY),
  set: (token: string): void => sessionStorage.setItem(TOKEN_KEY, token),
  forget: (): void => sessionStorage.removeItem(TOKEN_KEY),
}

/** The tokens of the demo's people; null where the server has none to give. */
export async function fetchDemoTokens(): Promise<Record<string, string> | null> {
  const answer = await fetch('demo/tokens')
  if (!answer.ok) return null
  const tokens: unknown = await answer.json()
  if (typeof tokens !== 'object' || tokens === null) return null
  return Object.fromEntries(Object.entries(tokens).map(([userId, token]) => [userId, String(token)]))
}
