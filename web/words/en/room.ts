import { createPlural } from '../plural.js'

const plural = createPlural('en')

/** What the room says. */
export const room = {
  back: 'Back to the chats',
  messages: 'Messages',
  messageTo: (name: string) => `Message ${name}`,
  send: 'Send',
  typing: ([one, other]: string[]) => (other === undefined ? `${one} is typing…` : `${one} and ${other} are typing…`),
  severalType: (count: number) => plural(count, { one: '# person is typing…', other: '# people are typing…' }),
  onlyYou: 'Only you see this',
  edited: 'edited',
  from: (name: string) => `${name}:`,
  discard: 'Discard',
  empty: 'Say hello',
  emptyText: 'Nobody has written here yet.',
  allGone: 'The messages of this chat have expired',
  beginning: 'The chat begins here',
  newMessages: 'New messages',
  newCount: (count: number) => plural(count, { one: '# new message', other: '# new messages' }),
  toLatest: 'To the latest message',
  jumpFailed: 'This message is no longer here.',
  search: 'Search in this chat',
  endSearch: 'Close the search',
  hits: (count: number, hasMore: boolean) =>
    hasMore ? `${count}+` : plural(count, { one: '# found', other: '# found' }),
  pinned: 'Pinned messages',
  allPins: (count: string) => `All (${count})`,
  unpin: 'Unpin',
  unpinned: 'No longer pinned',
}
