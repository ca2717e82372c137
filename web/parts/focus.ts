/** What has the focus in the tree that an element is in: for the document, what is inside a web component is the component. */
export function focusedBeside(element: Element): Element | null {
  const root = element.getRootNode()
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null
}
