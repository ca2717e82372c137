import { createPlural } from '../plural.js'
import type { Words } from '../type.js'

const plural = createPlural('ru')

/** What a message and the composer say. */
export const message: Words['message'] = {
  menu: 'Действия с сообщением',
  reply: 'Ответить',
  react: 'Реакция',
  edit: 'Изменить',
  copy: 'Скопировать текст',
  copied: 'Скопировано',
  pin: 'Закрепить',
  pinned: 'Закреплено',
  remove: 'Удалить',
  removeTitle: 'Удалить это сообщение?',
  removeText: 'Оно будет удалено у всех участников чата.',
  report: 'Пожаловаться…',
  readBy: 'Прочитали',
  readByCount: (count) =>
    plural(count, { one: 'Прочитал # человек', few: 'Прочитали # человека', other: 'Прочитали # человек' }),
  editedAt: (when) => `Изменено ${when}`,
  quote: 'В ответ на',
  gone: 'Этого сообщения больше нет',
  blocked: 'Сообщение того, кого вы заблокировали',
  show: 'Показать',

  reactions: 'Реакции',
  addReaction: 'Добавить реакцию',
  reactedAlso: (names, more) => (more > 0 ? `${names} и ещё ${more}` : names),
  anyEmoji: 'Другой эмодзи',

  download: 'Скачать',
  imageFailed: 'Не удалось загрузить картинку',

  attach: 'Прикрепить файлы',
  drop: 'Отпустите файлы, чтобы прикрепить их',
  files: 'Файлы для отправки',
  removeFile: (name) => `Убрать ${name}`,
  retryFile: (name) => `Загрузить ${name} ещё раз`,
  uploading: (name) => `Загружается ${name}`,
  tooManyFiles: (max) => `В сообщении может быть не больше ${max} файлов.`,
  tooLargeFile: (name, max) => `${name} больше ${max}.`,
  emptyFile: (name) => `Файл ${name} пуст.`,
  uploadFailed: (name) => `Не удалось загрузить ${name}.`,

  replyingTo: (name) => `Ответ: ${name}`,
  editing: 'Изменение сообщения',
  endReply: 'Не отвечать',
  endEdit: 'Не изменять',
  saveEdit: 'Сохранить',
  mentions: 'Кого упомянуть',
  charactersLeft: (count) =>
    plural(count, { one: 'Остался # знак', few: 'Осталось # знака', other: 'Осталось # знаков' }),
  charactersOver: (count, max) =>
    `${plural(count, { one: 'Лишний # знак', few: 'Лишние # знака', other: 'Лишних знаков: #' })}. В сообщении их не больше ${max.toLocaleString('ru')}.`,
  slowMode: (seconds) => plural(seconds, { other: 'Медленный режим: подождите # с' }),

  frozen: 'Чат заморожен: писать могут только владельцы и администраторы.',
  muted: 'Вам запретили писать в этом чате.',
  mutedUntil: (when) => `Вам запретили писать в этом чате до ${when}.`,
  youBlocked: (name) => `Вы заблокировали: ${name}.`,
  unblock: 'Разблокировать',
}
