import type { FastifyInstance } from 'fastify'

type Line = [senderId: string, content: string]

/** What people say in a language. */
interface Talk {
  names: Record<string, string>
  pair: Line[]
  groups: { title: string; lines: Line[] }[]
  directs: Line[]
}

const TALKS: Record<string, Talk> = {
  en: {
    names: { alice: 'Alice', bob: 'Bob', carol: 'Carol', dave: 'Dave', erin: 'Erin', frank: 'Frank' },
    pair: [
      ['alice', 'Morning! Did the new build reach you?'],
      ['bob', 'It did. It starts in a second now'],
      ['bob', 'The list re-sorts while I watch, that is neat.'],
      ['alice', 'Good. Shall we look at the search together?\nI have half an hour before lunch.'],
      ['bob', 'Yes, give me ten minutes.'],
    ],
    groups: [
      {
        title: 'Weekend hike',
        lines: [
          ['carol', 'Train leaves at 8:10, platform 4.'],
          ['dave', 'I bring the sandwiches'],
          ['erin', 'See you there!'],
        ],
      },
      {
        title: 'Design',
        lines: [
          ['erin', 'The dark theme is up for review.'],
          ['alice', 'Looks calm. I like it.'],
        ],
      },
    ],
    directs: [
      ['carol', 'Thanks for the photos!'],
      ['dave', 'Can you send me the address?'],
      ['frank', 'Done'],
    ],
  },
  ru: {
    names: { alice: 'Алиса', bob: 'Борис', carol: 'Катя', dave: 'Дима', erin: 'Ира', frank: 'Федя' },
    pair: [
      ['alice', 'Доброе утро! Новая сборка дошла?'],
      ['bob', 'Дошла. Теперь запускается за секунду'],
      ['bob', 'И список сортируется прямо на глазах, здорово.'],
      ['alice', 'Отлично. Посмотрим вместе на поиск?\nУ меня полчаса до обеда.'],
      ['bob', 'Да, дай мне десять минут.'],
    ],
    groups: [
      {
        title: 'Поход в выходные',
        lines: [
          ['carol', 'Поезд в 8:10, четвёртый путь.'],
          ['dave', 'С меня бутерброды'],
          ['erin', 'До встречи!'],
        ],
      },
      {
        title: 'Дизайн',
        lines: [
          ['erin', 'Тёмная тема готова к просмотру.'],
          ['alice', 'Спокойная. Мне нравится.'],
        ],
      },
    ],
    directs: [
      ['carol', 'Спасибо за фотографии!'],
      ['dave', 'Пришлёшь мне адрес?'],
      ['frank', 'Готово'],
    ],
  },
}

/** Fills an empty service with a little company that talks in this language. */
export async function fill(app: FastifyInstance, language: string): Promise<void> {
  const talk = TALKS[language]
  if (!talk) throw new Error(`There is no talk in ${language}`)
  const { users, log } = app.chat
  const everybody = Object.keys(talk.names)
  for (const [userId, name] of Object.entries(talk.names)) await users.put({ userId, name, avatarUrl: null })

  const append = async (chatId: string, lines: Line[]): Promise<string[]> => {
    const ids: string[] = []
    for (const [senderId, content] of lines) {
      const { message } = await log.append({ chatId, senderId, content })
      ids.push(message.id)
    }
    return ids
  }
  for (const [userId, content] of talk.directs) {
    const direct = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', userId] })
    await append(direct.chatId, [[userId, content]])
  }
  for (const { title, lines } of talk.groups) {
    const group = await log.createChat({ type: 'group', title, owner: 'alice', founders: everybody })
    await append(group.chatId, lines)
  }
  const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  await append(pair.chatId, talk.pair)
}
