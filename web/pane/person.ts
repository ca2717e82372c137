import type { ConnectionState } from '../connection.js'
import { part, write } from '../dom.js'

/** The head of a pane: whose it is, how their connection is, and the button that ends or begins it. */
export function createPerson(pane: HTMLElement, onToggle: () => void) {
  const title = part(pane, 'h2')
  const avatar = part(pane, '.avatar')
  const words = part(pane, '.state')
  const toggle = part(pane, '.toggle')
  toggle.addEventListener('click', onToggle)

  return {
    render(name: string, state: ConnectionState): void {
      write(title, name)
      write(avatar, [...name][0]?.toUpperCase() ?? '')
      pane.dataset.state = state.is
      pane.setAttribute('aria-label', name)
      write(words, toWords(state))
      write(toggle, state.is === 'ended' ? 'Connect' : 'Disconnect')
    },
  }
}

function toWords(state: ConnectionState): string {
  if (state.is === 'ended') return state.why || 'Disconnected'
  return { connecting: 'Connecting…', online: 'Connected', retrying: 'Reconnecting…' }[state.is]
}
