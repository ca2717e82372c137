import { COMMAND_NAMES } from '../../contract/commands.js'
import { RESOURCE_NAMES, RESOURCES } from '../../contract/resources.js'
import { COMMAND_ROWS, GROUPS, MARKS, ROUTE_ROWS } from './matrix.js'

const HEAD = `# Who may do what

Made by \`npm run docs\` from \`test/who/matrix.ts\`, which the tests are made from, too: each row is called as each actor, commands through both doors (services
over REST), on both databases. What is refused changes nothing, and nobody hears of it. A command or a route without a row does not compile.
`

const TAIL = `\`CHAT_CREATION=service\` refuses \`create_chat\` to users (FORBIDDEN), \`METRICS\` and \`DOCS\` open their routes to everybody. Who is in a chat by \`X-On-Behalf-Of\` is answered as
that user, but for what only a service may; a name that is no user's is NOT_FOUND. Services and nobody cannot come over a socket at all (UNAUTHENTICATED).
What a search, a sync or a look-up leaves out is not told from what never was: unknown, hidden, blocked and invisible look alike.
`

const line = (cells: string[]) => `| ${cells.join(' | ')} |`

/** The matrix as a page. */
export function whoPage(): string {
  const legend = Object.entries(MARKS).map(([mark, text]) => line([`\`${mark}\``, text]))
  const groups = Object.entries(GROUPS).map(([group, actors]) => line([group, actors.join(', ')]))
  const commands = COMMAND_NAMES.flatMap((name) =>
    Object.entries(COMMAND_ROWS[name]).map(([title, [, row]]) => toRow(`\`${name}\`${title && `, ${title}`}`, row)),
  )
  const routes = RESOURCE_NAMES.map((name) => {
    const { method, url } = RESOURCES[name]
    return toRow(`\`${method} ${url}\``, ROUTE_ROWS[name][1])
  })
  return [
    HEAD,
    table(['mark', 'what is answered'], legend),
    'A column holds a mark for each of its actors, in this order:\n',
    table(['column', 'actors'], groups),
    '## Commands\n',
    table(['command', ...Object.keys(GROUPS)], commands),
    '## Routes that are no command’s twin\n',
    table(['route', ...Object.keys(GROUPS)], routes),
    TAIL,
  ].join('\n')
}

const toRow = (title: string, row: string) => line([title, ...row.split(' ').map((marks) => `\`${marks}\``)])
const table = (head: string[], rows: string[]) => [line(head), line(head.map(() => '---')), ...rows, ''].join('\n')
