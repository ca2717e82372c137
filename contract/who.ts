/** What the docs group commands and routes under. */
export const TAGS = {
  messages: 'Sending, changing, reading and finding messages.',
  chats: 'Chats, and who is in them.',
  presence: 'Who is there.',
  users: 'Profiles, and one’s own connection.',
  services: 'What a main service says of its users.',
  health: 'How the service is.',
  docs: 'What explains the service and lets it be tried out.',
} as const
export type Tag = keyof typeof TAGS

/** Which users may call a command, in words. */
export const COMMAND_WHO = {
  self: 'every user',
  member: 'a member of the chat',
  admin: 'an admin or the owner of the chat',
  admin_or_two: 'an admin or the owner of a group, and both of a direct chat',
  owner: 'the owner of the chat',
  sender: 'who wrote it',
  sender_or_admin: 'who wrote it, and an admin or the owner of the chat',
  creator: 'users, where CHAT_CREATION lets them',
} as const
export type CommandWho = keyof typeof COMMAND_WHO

/** Who may make chats, the setting CHAT_CREATION: users, or the main service alone. */
export const CHAT_CREATIONS = ['users', 'service'] as const
export type ChatCreation = (typeof CHAT_CREATIONS)[number]

/** Who may call a route that is no command's twin, in words. */
export const ROUTE_WHO = {
  everybody: 'everybody',
  caller: 'users and services; in development whoever calls from this machine',
  service: 'services',
  viewer: 'who may see the message that carries it, and before it is sent who uploaded it; services',
  holder: 'who was given its URL and token',
  local: 'in development whoever calls from this machine',
} as const
export type RouteWho = keyof typeof ROUTE_WHO
