import { buttonOf, part } from './dom.js'
import type { Pane } from './pane/index.js'

/** On a narrow screen one side is shown at a time; its button tells what waits on the other. */
export function createChoices(onChoose: (pane: Pane) => void) {
  const nav = part(document, '#switch')
  const buttons = new Map<Pane, HTMLElement>()

  return {
    offer(panes: Pane[]): void {
      for (const pane of panes) {
        const button = buttonOf('label', 'badge')
        button.addEventListener('click', () => onChoose(pane))
        buttons.set(pane, button)
      }
      nav.append(...buttons.values())
    },

    render(): void {
      for (const [pane, button] of buttons) {
        const badge = part(button, '.badge')
        const [name, unread] = [pane.name(), pane.unread()]
        part(button, '.label').textContent = name
        badge.textContent = String(unread)
        badge.hidden = unread === 0
        button.setAttribute('aria-label', unread === 0 ? name : `${name}, ${unread} unread`)
        button.setAttribute('aria-pressed', String(pane.element.classList.contains('attended')))
      }
    },
  }
}
