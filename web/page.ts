import { type ChatSocket, loadSocketIO } from './connection.js'
import { copyOf } from './dom.js'
import { createPane, type Pane } from './pane.js'

type Connect = (getToken: () => Promise<string>) => ChatSocket

const SHOWN_PEOPLE = ['alice', 'bob']

const panes = document.querySelector('#panes') as HTMLElement
const chooser = document.querySelector('#switch') as HTMLElement
const hint = document.querySelector('#hint') as HTMLElement
const shown: Pane[] = []

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
  for (const userId of SHOWN_PEOPLE) {
    // Asked for anew at each connection: a page may stay open for longer than a token lives.
    const getToken = async () => (await fetchDemoTokens())?.[userId] ?? ''
    add(connect(getToken), userId.charAt(0).toUpperCase() + userId.slice(1))
  }
  chooser.append(...shown.map(toChoice))
  attend(shown[0] as Pane)
  if (matchMedia('(pointer: fine)').matches) shown[0]?.focus()
}

function askForToken(connect: Connect, why = ''): void {
  const form = copyOf('token') as HTMLFormElement
  hint.textContent = why || 'Sign in with a token of your app.'
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = String(new FormData(form).get('token')).trim()
    hint.textContent = ''
    panes.replaceChildren()
    shown.length = 0
    add(
      connect(async () => token),
      'You',
      (refusal) => askForToken(connect, refusal),
    )
    attend(shown[0] as Pane)
  })
  panes.replaceChildren(form)
  form.querySelector('input')?.focus()
}

function add(socket: ChatSocket, name: string, onRefused?: (why: string) => void): void {
  const pane = createPane({ socket, name, onChange: renderChoices, ...(onRefused && { onRefused }) })
  shown.push(pane)
  panes.append(pane.element)
  for (const event of ['pointerdown', 'focusin']) pane.element.addEventListener(event, () => attend(pane))
}

function attend(pane: Pane): void {
  for (const other of shown) {
    other.attend(other === pane)
    other.element.classList.toggle('attended', other === pane)
  }
  renderChoices()
}

function toChoice(pane: Pane): HTMLElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.append(document.createElement('span'), Object.assign(document.createElement('span'), { className: 'badge' }))
  button.addEventListener('click', () => attend(pane))
  return button
}

/** On a narrow screen one side is shown at a time; its button tells what waits on the other. */
function renderChoices(): void {
  for (const [i, button] of [...chooser.children].entries()) {
    const pane = shown[i] as Pane
    const [label, badge] = [...button.children] as [HTMLElement, HTMLElement]
    const unread = pane.unread()
    label.textContent = pane.name()
    badge.textContent = String(unread)
    badge.hidden = unread === 0
    button.setAttribute('aria-label', unread === 0 ? pane.name() : `${pane.name()}, ${unread} unread`)
    button.setAttribute('aria-pressed', String(pane.element.classList.contains('attended')))
  }
}

start().catch((error: Error) => {
  hint.textContent = error.message
  hint.dataset.fault = ''
})
