import type { FastifyInstance } from 'fastify'

/** What somebody says, to which earlier line of the chat, and what others put on it. */
interface Line {
  by: string
  text: string
  answers?: number
  reactions?: Record<string, string[]>
}

/** What people say in a language. */
interface Talk {
  names: Record<string, string>
  pair: Line[]
  /** What Bob is about to write. */
  draft: string
  groups: { title: string; lines: Line[] }[]
  directs: Line[]
}

const TALKS: Record<string, Talk> = {
  en: {
    names: { alice: 'Alice', bob: 'Bob', carol: 'Carol', dave: 'Dave', erin: 'Erin', frank: 'Frank' },
    pair: [
      { by: 'alice', text: 'Morning! Did the new build reach you?' },
      { by: 'bob', text: 'It did. Starts in two seconds now.', reactions: { '♥': ['alice'] } },
      { by: 'bob', text: 'I killed the server while it was sending. Every message is there, each once.' },
      { by: 'alice', text: 'And in the same order on both phones?', answers: 2 },
      { by: 'bob', text: 'To the last one.', reactions: { '♥': ['alice'] } },
      { by: 'alice', text: 'Then we ship it. Lunch at one?' },
    ],
    draft: 'Lunch it is, I bring',
    groups: [
      {
        title: 'Weekend hike',
        lines: [
          { by: 'carol', text: 'Train leaves at 8:10, platform 4.' },
          { by: 'dave', text: 'I bring the sandwiches' },
          { by: 'erin', text: 'See you there!' },
        ],
      },
      {
        title: 'Design',
        lines: [
          { by: 'erin', text: 'The dark theme is up for review.' },
          { by: 'alice', text: 'Looks calm. I like it.' },
        ],
      },
    ],
    directs: [
      { by: 'carol', text: 'Thanks for the photos!' },
      { by: 'dave', text: 'Can you send me the address?' },
      { by: 'frank', text: 'Done' },
    ],
  },
  ru: {
    names: { alice: 'Алиса', bob: 'Борис', carol: 'Катя', dave: 'Дима', erin: 'Ира', frank: 'Федя' },
    pair: [
      { by: 'alice', text: 'Доброе утро! Новая сборка дошла?' },
      { by: 'bob', text: 'Дошла. Запускается за две секунды.', reactions: { '♥': ['alice'] } },
      { by: 'bob', text: 'Убил сервер прямо во время отправки. Все сообщения на месте, каждое один раз.' },
      { by: 'alice', text: 'И порядок одинаковый на обоих телефонах?', answers: 2 },
      { by: 'bob', text: 'До последнего.', reactions: { '♥': ['alice'] } },
      { by: 'alice', text: 'Тогда выпускаем. Обед в час?' },
    ],
    draft: 'Договорились, с меня',
    groups: [
      {
        title: 'Поход в выходные',
        lines: [
          { by: 'carol', text: 'Поезд в 8:10, четвёртый путь.' },
          { by: 'dave', text: 'С меня бутерброды' },
          { by: 'erin', text: 'До встречи!' },
        ],
      },
      {
        title: 'Дизайн',
        lines: [
          { by: 'erin', text: 'Тёмная тема готова к просмотру.' },
          { by: 'alice', text: 'Спокойная. Мне нравится.' },
        ],
      },
    ],
    directs: [
      { by: 'carol', text: 'Спасибо за фотографии!' },
      { by: 'dave', text: 'Пришлёшь мне адрес?' },
      { by: 'frank', text: 'Готово' },
    ],
  },
}

/** What Bob is about to write in a language. */
export const draftIn = (language: string): string => talkIn(language).draft

function talkIn(language: string): Talk {
  const talk = TALKS[language]
  if (!talk) throw new Error(`There is no talk in ${language}`)
  return talk
}

/** Fills a service with a little company that talks in this language; the demo's own two chats go. */
export async function fill(app: FastifyInstance, language: string): Promise<void> {
  const talk = talkIn(language)
  const { users, log } = app.chat
  const everybody = Object.keys(talk.names)
  for (const [userId, name] of Object.entries(talk.names)) await users.put({ userId, name, avatarUrl: null })
  for (const { chatId } of (await log.getChatsOf(['alice'])).get('alice') ?? []) await log.deleteChat(chatId)

  const say = async (chatId: string, lines: Line[]): Promise<void> => {
    const ids: string[] = []
    for (const { by, text, answers, reactions = {} } of lines) {
      const replyToId = answers === undefined ? undefined : ids[answers]
      const { message } = await log.append({ chatId, senderId: by, content: text, replyToId })
      ids.push(message.id)
      for (const [emoji, people] of Object.entries(reactions)) {
        for (const userId of people) await log.react({ userId, isByService: false }, message.id, emoji, true)
      }
    }
  }
  for (const line of talk.directs) {
    const direct = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', line.by] })
    await say(direct.chatId, [line])
  }
  for (const { title, lines } of talk.groups) {
    const group = await log.createChat({ type: 'group', title, owner: 'alice', founders: everybody })
    await say(group.chatId, lines)
  }
  const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  await say(pair.chatId, talk.pair)
}
