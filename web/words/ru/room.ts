import { createPlural } from '../plural.js'
import type { Words } from '../type.js'

const plural = createPlural('ru')

/** What the room says. */
export const room: Words['room'] = {
  back: 'Назад к чатам',
  messages: 'Сообщения',
  messageTo: (name) => `Сообщение: ${name}`,
  send: 'Отправить',
  typing: ([one, other]) => (other === undefined ? `${one} печатает…` : `${one} и ${other} печатают…`),
  severalType: (count) =>
    plural(count, { one: '# человек печатает…', few: '# человека печатают…', other: '# человек печатают…' }),
  onlyYou: 'Видите только вы',
  edited: 'изменено',
  from: (name) => `${name}:`,
  discard: 'Удалить',
  empty: 'Поздоровайтесь',
  emptyText: 'Здесь ещё никто не писал.',
  allGone: 'Срок хранения сообщений этого чата истёк',
  beginning: 'Здесь чат начинается',
  newMessages: 'Новые сообщения',
  newCount: (count) =>
    plural(count, { one: '# новое сообщение', few: '# новых сообщения', other: '# новых сообщений' }),
  toLatest: 'К последнему сообщению',
  jumpFailed: 'Этого сообщения больше нет.',
  search: 'Искать в этом чате',
  endSearch: 'Закрыть поиск',
  hits: (count, hasMore) =>
    hasMore ? `${count}+` : plural(count, { one: 'Найдено: #', few: 'Найдено: #', other: 'Найдено: #' }),
  pinned: 'Закреплённые сообщения',
  allPins: (count) => `Все (${count})`,
  unpin: 'Открепить',
  unpinned: 'Больше не закреплено',
}
