/** What the room says. */
export const room = {
  label: (name: string) => `Chat: ${name}`,
  back: 'Back to the chats',
  messages: 'Messages',
  messageTo: (name: string) => `Message ${name}`,
  send: 'Send',
  typing: (name: string) => `${name} is typing…`,
  edited: 'edited',
  from: (name: string) => `${name}:`,
  discard: 'Discard',
  empty: 'Say hello',
}
