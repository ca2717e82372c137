import type { Words } from '../type.js'

/** What the room says. */
export const room: Words['room'] = {
  label: (name) => `Чат: ${name}`,
  back: 'Назад к чатам',
  messages: 'Сообщения',
  messageTo: (name) => `Сообщение: ${name}`,
  send: 'Отправить',
  typing: (name) => `${name} печатает…`,
  edited: 'изменено',
  from: (name) => `${name}:`,
  discard: 'Удалить',
  empty: 'Поздоровайтесь',
}
