import { textFrame } from './frames.js'
import { createTexts } from './words.js'

/** What a load is made of: sends to chats, read marks that go up, presence that changes, one command again and again, or some in turn. */
export type Work =
  | { kind: 'send' /** The chats of each client, used in turn. */; chats: string[][]; bytes: number }
  | { kind: 'mark'; chatId: string; from: number }
  | { kind: 'presence' }
  | { kind: 'ask' /** The command of each client, as JSON. */; texts: string[] }
  | { kind: 'turns' /** The commands of each client, as JSON. */; texts: string[][] }

/** Makes the next frame of a client; `id` is the ack's, `stamp` leads the content. */
export function createFrames(work: Work): (client: number, id: number, stamp?: string) => Buffer {
  if (work.kind === 'presence') {
    return (_client, id) => textFrame(`42${id}["set_presence",{"status":"${id % 2 === 0 ? 'away' : 'online'}"}]`)
  }
  if (work.kind === 'ask') {
    const { texts } = work
    return (client, id) => textFrame(`42${id}${texts[client]}`)
  }
  if (work.kind === 'turns') {
    const { texts } = work
    return (client, id) => {
      const own = texts[client] ?? []
      return textFrame(`42${id}${own[id % own.length]}`)
    }
  }
  if (work.kind === 'mark') {
    const marks: number[] = []
    return (client, id) => {
      marks[client] = (marks[client] ?? work.from) + 1
      return textFrame(`42${id}["mark_as_read",{"chatId":"${work.chatId}","upToSeq":${marks[client]}}]`)
    }
  }
  const { chats, bytes } = work
  const texts = createTexts(bytes)
  const run = Math.random().toString(36).slice(2, 8)
  const turns: number[] = []
  let sent = 0
  return (client, id, stamp = '') => {
    const own = chats[client] ?? []
    const turn = turns[client] ?? 0
    turns[client] = turn + 1
    sent += 1
    const text = (texts[sent % texts.length] as string).slice(stamp.length)
    return textFrame(
      `42${id}["send_message",{"chatId":"${own[turn % own.length]}","content":"${stamp}${text}","clientMessageId":"${run}-${sent}"}]`,
    )
  }
}
