import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const theme = readFileSync(join(import.meta.dirname, '../../documents/theme.css'), 'utf8')

/** The one style of the page of events: the colours of the chat page, light and dark as the reader's system is. */
export const STYLE = `${theme}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: var(--space-4); }
body { margin: 0; background: var(--ground); color: var(--text); }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.page { display: grid; grid-template-columns: 250px minmax(0, 1fr); max-width: 1180px; margin: 0 auto; }
nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: var(--space-5) var(--space-4); }
nav h2 { margin: var(--space-4) 0 var(--space-1); font-size: var(--type-s); color: var(--soft); font-weight: 600; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: 3px var(--space-2); border-radius: var(--radius-s); color: var(--text); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { background: var(--hover); }
main { padding: var(--space-5) var(--space-4) var(--space-6); }
h1 { margin: 0 0 var(--space-2); font-size: 1.75rem; line-height: 1.2; }
main > h2 { margin: var(--space-6) 0 var(--space-3); font-size: var(--type-xl); }
article { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius-m); padding: var(--space-4) var(--space-5); margin: 0 0 var(--space-4); }
article h3 { margin: 0 0 var(--space-2); font-size: var(--type-l); }
article h3 a { color: inherit; text-decoration: none; }
article h4 { margin: var(--space-4) 0 var(--space-1); font-size: var(--type-s); color: var(--soft); font-weight: 600; }
p { margin: 0 0 var(--space-2); max-width: 75ch; }
ul { margin: 0 0 var(--space-2); padding-left: 1.25em; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.9em; }
code { overflow-wrap: anywhere; }
pre { margin: var(--space-2) 0 0; padding: var(--space-3); white-space: pre-wrap; overflow-wrap: anywhere; background: var(--raised); border-radius: var(--radius-s); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 6px var(--space-3) 6px 0; border-top: 1px solid var(--line); }
th { font-size: var(--type-s); color: var(--soft); font-weight: 600; border-top: 0; }
td { overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
details { margin-top: var(--space-3); }
summary { cursor: pointer; color: var(--soft); font-size: var(--type-s); min-height: 24px; }
.soft { color: var(--soft); }
@media (max-width: 799px) {
  .page { grid-template-columns: minmax(0, 1fr); }
  nav { position: static; max-height: none; padding-bottom: 0; }
  nav ul { display: flex; flex-wrap: wrap; }
  td:first-child { white-space: normal; }
  article { padding: var(--space-3) var(--space-4); }
}
@media print {
  nav { display: none; }
  .page { display: block; }
}
`
