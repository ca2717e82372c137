// The line protocol for examples/plain-client. Usage: node conformance/clients/plain.mjs [another file with createPlainClient]
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const file = resolve(process.argv[2] ?? `${import.meta.dirname}/../../examples/plain-client/client.mjs`)
const { createPlainClient } = await import(pathToFileURL(file).href)
let client
let token

const COMMANDS = {
  connect(line) {
    token = line.token
    client = createPlainClient({ url: line.url, getToken: () => token })
  },
  token(line) {
    token = line.token
    if (client.state === 'needs-token') client.connect()
  },
  open: ({ chatId }) => client.open(chatId),
  send: ({ chatId, key, content }) => client.send(chatId, key, content),
  read: ({ chatId, upToSeq }) => client.read(chatId, upToSeq),
  edit: ({ messageId, content }) => void client.command('edit_message', { messageId, content }).catch(() => {}),
  react: ({ messageId, emoji }) => void client.command('add_reaction', { messageId, emoji }).catch(() => {}),
}

function dump() {
  const chats = {}
  for (const [chatId, { revision, lastReadSeq, messages }] of client.rooms) {
    if (revision === 0) continue
    const sorted = [...messages.values()].sort((a, b) => a.seq - b.seq)
    const isUnread = ({ seq, sender, deletedAt }) => seq > lastReadSeq && sender.userId !== client.userId && !deletedAt
    chats[chatId] = { revision, lastReadSeq, unread: sorted.filter(isUnread).length, messages: sorted.map(toLine) }
  }
  const failed = client.outbox
    .filter(({ error }) => error)
    .map(({ key, content, error }) => [key, { code: error.code, content }])
  const waiting = client.outbox.filter(({ error }) => !error).map(({ key }) => key)
  return { connection: client.state, chats, waiting, failed: Object.fromEntries(failed) }
}

const toLine = ({ id, seq, content, reactions, deletedAt }) => ({
  id,
  seq,
  content,
  reactions: Object.fromEntries(reactions.map(({ emoji, count }) => [emoji, count])),
  deleted: deletedAt !== null,
})

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
say({ ready: true })
for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text)
  if (line.do === 'dump') say({ done: line.id, state: dump() })
  else {
    COMMANDS[line.do](line)
    say({ done: line.id })
  }
}
process.exit(0)
