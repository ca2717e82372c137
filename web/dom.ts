/** A copy of a template's element. */
export function copyOf(id: string): HTMLElement {
  const template = document.querySelector<HTMLTemplateElement>(`#${id}-template`)
  return template?.content.firstElementChild?.cloneNode(true) as HTMLElement
}

/** What a template has in it. */
export const part = (node: HTMLElement, selector: string) => node.querySelector(selector) as HTMLElement

/** Sets a text, touching nothing when it stands there already. */
export function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** Makes some nodes the children of another; those in place stay untouched, so that only what is new is read aloud. */
export function place(parent: HTMLElement, children: HTMLElement[]): void {
  for (const [i, child] of children.entries()) {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null)
  }
  while (parent.children.length > children.length) parent.lastElementChild?.remove()
}
