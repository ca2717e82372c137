import type { ChatSocket } from '../client/src/stock.js'
import { createChoices } from './choices.js'
import { part } from './dom.js'
import { createPane, type Pane, type PaneOptions } from './pane/index.js'
import { createSignIn } from './sign-in.js'
import { type Connect, loadSocketIO } from './socket.js'

const SHOWN_PEOPLE = ['alice', 'bob']

const main = part(document, '#panes')
const hint = part(document, '#hint')
const choices = createChoices(attend)
let panes: Pane[] = []

/** The tokens of the demo's people; null where the server has none to give. */
async function fetchDemoTokens(): Promise<Record<string, string> | null> {
  const response = await fetch('demo/tokens')
  return response.ok ? response.json() : null
}

async function start(): Promise<void> {
  const connect = await loadSocketIO()
  const tokens = await fetchDemoTokens()
  if (!tokens) return askForToken(connect)
  hint.textContent = 'Alice and Bob share this page. Write as one of them, and see what the other sees.'
  const [first] = SHOWN_PEOPLE.map((userId) => {
    // Asked for anew at each connection: a page may stay open for longer than a token lives.
    const getToken = async () => (await fetchDemoTokens())?.[userId] ?? ''
    return add(connect(getToken), userId.charAt(0).toUpperCase() + userId.slice(1))
  })
  choices.offer(panes)
  if (first) attend(first)
  if (matchMedia('(pointer: fine)').matches) first?.focus()
}

function askForToken(connect: Connect, why = ''): void {
  hint.textContent = why || 'Sign in with a token of your app.'
  const signIn = createSignIn((token) => {
    hint.textContent = ''
    main.replaceChildren()
    panes = []
    const socket = connect(async () => token)
    attend(add(socket, 'You', (refusal) => askForToken(connect, refusal)))
  })
  main.replaceChildren(signIn.element)
  signIn.focus()
}

function add(socket: ChatSocket, name: string, onRefused?: PaneOptions['onRefused']): Pane {
  const pane = createPane({ socket, name, onChange: choices.render, ...(onRefused && { onRefused }) })
  panes.push(pane)
  main.append(pane.element)
  for (const event of ['pointerdown', 'focusin']) pane.element.addEventListener(event, () => attend(pane))
  return pane
}

function attend(pane: Pane): void {
  for (const other of panes) {
    other.attend(other === pane)
    other.element.classList.toggle('attended', other === pane)
  }
  choices.render()
}

start().catch((error: Error) => {
  hint.textContent = error.message
  hint.dataset.fault = ''
})
