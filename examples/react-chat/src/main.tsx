import { ChatProvider } from 'chat-socket-client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Chat } from './chat.js'

const query = new URLSearchParams(location.search)
const url = query.get('chat') ?? 'http://localhost:3002'
const user = query.get('user') ?? 'alice'

/** In development the chat hands out tokens of its demo people; your app has its own way to one. */
async function getToken(): Promise<string> {
  const tokens = await (await fetch(`${url}/demo/tokens`)).json()
  return tokens[user]
}

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <ChatProvider key={user} options={{ url, getToken }}>
      <Chat />
    </ChatProvider>
  </StrictMode>,
)
