import page from '../styles.css?inline'
import widget from './widget.css?inline'

let sheet: CSSStyleSheet | null = null

/** Gives a shadow root the look of the page; all of them share one sheet. A sheet made so is none that a content security policy asks about. */
export function adoptStyles(root: ShadowRoot): void {
  if (!sheet) {
    sheet = new CSSStyleSheet()
    sheet.replaceSync(page + widget)
  }
  root.adoptedStyleSheets = [sheet]
}
