import { createPlural } from '../plural.js'

const plural = createPlural('en')

/** What a message and the composer say. */
export const message = {
  menu: 'Actions for this message',
  reply: 'Reply',
  react: 'React',
  edit: 'Edit',
  copy: 'Copy text',
  copied: 'Copied',
  pin: 'Pin',
  pinned: 'Pinned',
  remove: 'Delete',
  removeTitle: 'Delete this message?',
  removeText: 'It is deleted for everybody in the chat.',
  report: 'Report…',
  readBy: 'Read by',
  readByCount: (count: number) => plural(count, { one: 'Read by # person', other: 'Read by # people' }),
  editedAt: (when: string) => `Edited ${when}`,
  quote: 'In reply to',
  gone: 'This message is no longer here',
  blocked: 'A message of somebody you have blocked',
  show: 'Show',

  reactions: 'Reactions',
  addReaction: 'Add a reaction',
  reactedAlso: (names: string, more: number) => (more > 0 ? `${names} and ${more} more` : names),
  anyEmoji: 'Another emoji',

  download: 'Download',
  imageFailed: 'The picture could not be loaded',

  attach: 'Attach files',
  drop: 'Drop files to attach them',
  files: 'Files to send',
  removeFile: (name: string) => `Remove ${name}`,
  retryFile: (name: string) => `Try again to upload ${name}`,
  uploading: (name: string) => `Uploading ${name}`,
  tooManyFiles: (max: number) => `A message carries at most ${max} files.`,
  tooLargeFile: (name: string, max: string) => `${name} is larger than ${max}.`,
  emptyFile: (name: string) => `${name} is empty.`,
  uploadFailed: (name: string) => `${name} could not be uploaded.`,

  replyingTo: (name: string) => `Reply to ${name}`,
  editing: 'Edit message',
  endReply: 'Do not reply',
  endEdit: 'Do not edit',
  saveEdit: 'Save',
  mentions: 'People to mention',
  charactersLeft: (count: number) => plural(count, { one: '# character left', other: '# characters left' }),
  charactersOver: (count: number, max: number) =>
    `${plural(count, { one: '# character', other: '# characters' })} too many: a message has at most ${max.toLocaleString('en')}.`,
  slowMode: (seconds: number) => plural(seconds, { one: 'Slow mode: wait # s', other: 'Slow mode: wait # s' }),

  frozen: 'This chat is frozen: only its owners and admins write here.',
  muted: 'You were muted in this chat.',
  mutedUntil: (when: string) => `You were muted in this chat until ${when}.`,
  youBlocked: (name: string) => `You have blocked ${name}.`,
  unblock: 'Unblock',
}
