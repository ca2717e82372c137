/** A copy of a template's element. */
export function copyOf(id: string): HTMLElement
export function copyOf<E extends HTMLElement>(id: string, kind: new () => E): E
export function copyOf(id: string, kind = HTMLElement): HTMLElement {
  const { content } = part(document, `#${id}-template`, HTMLTemplateElement)
  return the(kind, content.firstElementChild?.cloneNode(true), `template ${id}`)
}

/** The one element of a node that a selector names. */
export function part(node: ParentNode, selector: string): HTMLElement
export function part<E extends HTMLElement>(node: ParentNode, selector: string, kind: new () => E): E
export function part(node: ParentNode, selector: string, kind = HTMLElement): HTMLElement {
  return the(kind, node.querySelector(selector), selector)
}

function the(kind: typeof HTMLElement, node: Node | null | undefined, name: string): HTMLElement {
  if (node instanceof kind) return node
  throw new Error(`The page has no ${name}.`)
}

/** A button with a span for each class. */
export function buttonOf(...classes: string[]): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.append(...classes.map((className) => Object.assign(document.createElement('span'), { className })))
  return button
}

/** Answers the same node for the same key, made when it is first asked for. */
export function createNodes(make: (key: string) => HTMLElement): (key: string) => HTMLElement {
  const nodes = new Map<string, HTMLElement>()
  return (key) => {
    const node = nodes.get(key) ?? make(key)
    nodes.set(key, node)
    return node
  }
}

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
