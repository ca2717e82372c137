import type { AsyncApi, Message, Operation, Reference } from './documents.js'
import { fieldsOf, nameOf, type Schema, table } from './fields.js'
import { blocks, escaped, inline } from './markdown.js'
import { STYLE } from './style.js'

const yes = (is: boolean) => (is ? 'yes' : 'no')

/** The AsyncAPI document as a page for people. */
export function eventsPage({ info, operations, components, ...catalogues }: AsyncApi): string {
  const { messages, schemas } = components
  const messageOf = (references: Reference[]) => messages[nameOf(references[0]?.$ref ?? '')]
  const schemaOf = ({ $ref }: Reference): Schema => schemas[nameOf($ref)] ?? {}

  const commands = Object.entries(operations).filter(([, { action }]) => action === 'receive')
  const events = Object.entries(operations).filter(([, { action }]) => action === 'send')
  // Inputs and answers are told with their commands.
  const referring = JSON.stringify(Object.entries(schemas).filter(([name]) => !name.endsWith('Ack')))
  const shapes = Object.entries(schemas).filter(([name]) => referring.includes(`/schemas/${name}"`))

  function heading(id: string, name: string): string {
    return `<h3><a href="#${escaped(id)}"><code>${escaped(name)}</code></a></h3>`
  }

  function examplesOf({ examples }: Message): string {
    return examples
      .map(({ name, payload }) => {
        const text = escaped(JSON.stringify(payload, null, 2))
        return `<details><summary>Example: ${escaped(name)}</summary><pre>${text}</pre></details>`
      })
      .join('')
  }

  function article([id, operation]: [string, Operation]): string {
    const message = messageOf(operation.messages)
    const ack = operation.reply && messageOf(operation.reply.messages)
    if (!message) return ''
    const answer = ack && schemaOf(ack.payload).oneOf?.[0]?.properties?.data
    return `<article id="${escaped(id)}">${heading(id, message.name)}
${blocks(operation.description ?? operation.summary)}
<h4>Payload</h4>${fieldsOf(schemaOf(message.payload))}
${answer ? `<h4>Answer, as <code>data</code></h4>${fieldsOf(answer.$ref ? schemaOf({ $ref: answer.$ref }) : answer)}` : ''}
${examplesOf(message)}${ack ? examplesOf(ack) : ''}</article>`
  }

  function shape([name, schema]: [string, Schema]): string {
    return `<article id="${escaped(name)}">${heading(name, name)}
${schema.description ? blocks(schema.description) : ''}${fieldsOf(schema)}</article>`
  }

  const link = ([id, { messages }]: [string, Operation]) => item(id, messageOf(messages)?.name ?? id)
  const ofTag = (tag: string) => commands.filter(([, { tags }]) => tags?.[0]?.name === tag)
  const tags = info.tags.filter(({ name }) => ofTag(name).length > 0)
  const errors = Object.entries(catalogues['x-errors']).map(
    ([code, { retryable, message }]) =>
      `<tr><td><code>${code}</code></td><td>${yes(retryable)}</td><td>${inline(message)}</td></tr>`,
  )
  const closings = Object.entries(catalogues['x-closings']).map(
    ([code, { retryable, message }]) =>
      `<tr><td><code>${code}</code></td><td>${yes(retryable)}</td><td>${inline(message)}</td></tr>`,
  )

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}: events</title>
<style>${STYLE}</style>
</head>
<body>
<div class="page">
<nav aria-label="Contents">
<ul><li><a href="../docs">REST routes</a></li><li><a href="../asyncapi.json">asyncapi.json</a></li></ul>
${tags.map(({ name }) => `<h2>Send: ${escaped(name)}</h2><ul>${ofTag(name).map(link).join('')}</ul>`).join('\n')}
<h2>Hear</h2><ul>${events.map(link).join('')}</ul>
<h2>Reference</h2><ul>${item('errors', 'Errors')}${item('closings', 'Closings')}${item('shapes', 'Shapes')}</ul>
</nav>
<main>
<h1>${escaped(info.title)}: events</h1>
<p class="soft">Version ${escaped(info.version)}</p>
${blocks(info.description)}
${tags.map(({ name, description }) => `<h2>Send: ${escaped(name)}</h2><p class="soft">${inline(description)}</p>${ofTag(name).map(article).join('\n')}`).join('\n')}
<h2>Hear</h2>
${events.map(article).join('\n')}
<h2 id="errors">Errors</h2>
<article>${table(['code', 'try again?', 'what it says'], errors)}</article>
<h2 id="closings">Closings</h2>
<article>${table(['code', 'come back?', 'what it says'], closings)}</article>
<h2 id="shapes">Shapes</h2>
${shapes.map(shape).join('\n')}
</main>
</div>
</body>
</html>
`
}

const item = (id: string, text: string) => `<li><a href="#${escaped(id)}">${escaped(text)}</a></li>`
