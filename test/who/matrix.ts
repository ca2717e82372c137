import type { CommandName, Input } from '../../contract/commands.js'
import type { ResourceName } from '../../contract/resources.js'

/** Who calls; each stands for a column of the rows below, in this order. Columns come in groups. */
export const GROUPS = {
  'in a group': ['owner', 'admin', 'member', 'muted'],
  'not in it': ['left', 'removed', 'banned', 'stranger', 'no such chat'],
  'in a direct chat': ['one of two', 'blocked', 'blocker'],
  services: ['service', 'for a member', 'for a muted', 'for a blocked', 'for a stranger'],
  nobody: ['anonymous', 'this machine'],
} as const
export type Actor = (typeof GROUPS)[keyof typeof GROUPS][number]

/** What is answered. */
export const MARKS = {
  '+': 'ok',
  '0': 'ok, with nothing of what was asked for in it',
  '-': 'NOT_FOUND, the same to the byte whether it is hidden, gone or never was',
  F: 'FORBIDDEN: the role does not allow it',
  M: 'FORBIDDEN, `{ reason: "muted", until }`',
  B: 'FORBIDDEN, `{ reason: "blocked" }`',
  S: 'FORBIDDEN: a service has to name a user',
  O: 'FORBIDDEN: for sockets only',
  X: 'FORBIDDEN: for services only',
  C: 'CONFLICT: a direct chat is as it is',
  K: 'CONFLICT, `{ reason: "banned", userIds }`',
  V: 'VALIDATION_FAILED',
  U: 'UNAUTHENTICATED',
  '.': 'cannot be',
} as const
export type Mark = keyof typeof MARKS

/** Where an actor calls: of a chat that is not there, ids of things that are not. */
export interface Place {
  self: string
  chatId: string
  /** Messages of the actor and of `other`. */
  own: string
  theirs: string
  /** A file that a message of `other` carries. */
  attachment: string
  /** A member: in a direct chat, the other one. */
  other: string
  admin: string
  owner: string
  banned: string
  stranger: string
  /** Somebody who has nothing to do with the chat, and somebody who has blocked everybody. */
  newcomer: string
  hermit: string
  token: string
}

type Case<I> = [input: (at: Place) => I, row: string]
type Cases<I> = Record<string, Case<I>>

/** Commands × actors, over a socket and as REST twin; a row’s letters stand in the order of GROUPS. */
// biome-ignore format: rows are read in columns
export const COMMAND_ROWS: { [C in CommandName]: Cases<Input<C>> } = {
  send_message: {
    '': [({ chatId }) => ({ chatId, content: 'hello' }), '+++M ----- +BB S+MB- UU'],
    'that names everyone': [({ chatId }) => ({ chatId, content: 'hello', mentions: { everyone: true } }), '+++M ----- +BB S+MB- UU'],
    'with what is no upload': [({ chatId, own }) => ({ chatId, attachmentIds: [own] }), 'VVVV ----- VVV SVVV- UU'],
  },
  edit_message: {
    'one’s own': [({ own }) => ({ messageId: own, content: 'changed' }), '+++M ----- +BB S+MB- UU'],
    'another’s': [({ theirs }) => ({ messageId: theirs, content: 'changed' }), 'FFFF ----- FFF SFFF- UU'],
    'all but the content': [({ own, other }) => ({ messageId: own, metadata: { a: 1 }, mentions: { userIds: [other] } }), '+++M ----- +BB S+MB- UU'],
  },
  get_message: {
    'one’s own': [({ own }) => ({ messageId: own }), '++++ ----- +++ .+++- UU'],
    'another’s': [({ theirs }) => ({ messageId: theirs }), '++++ ----- +++ ++++- UU'],
  },
  list_mentions: { '': [() => ({}), '++++ 00000 +++ S+++0 UU'] },
  delete_message: {
    'one’s own': [({ own }) => ({ messageId: own }), '++++ ----- +++ S+++- UU'],
    'another’s': [({ theirs }) => ({ messageId: theirs }), '++FF ----- FFF SFFF- UU'],
  },
  add_reaction: { '': [({ theirs }) => ({ messageId: theirs, emoji: '👍' }), '+++M ----- +BB S+MB- UU'] },
  remove_reaction: { '': [({ theirs }) => ({ messageId: theirs, emoji: '👍' }), '+++M ----- +BB S+MB- UU'] },
  pin_message: { '': [({ theirs }) => ({ messageId: theirs }), '++FF ----- +BB SFFB- UU'] },
  unpin_message: { '': [({ theirs }) => ({ messageId: theirs }), '++FF ----- +BB SFFB- UU'] },
  list_pins: { '': [({ chatId }) => ({ chatId }), '++++ ----- +++ S+++- UU'] },
  report_message: { '': [({ theirs }) => ({ messageId: theirs, reason: 'spam' }), '++++ ----- +++ S+++- UU'] },
  create_upload: {
    '': [({ chatId }) => ({ chatId, name: 'a.txt', mimeType: 'text/plain', size: 5 }), '+++M ----- +BB S+MB- UU'],
  },
  mark_as_read: {
    'a chat': [({ chatId }) => ({ chatId, upToSeq: 1_000 }), '++++ ----- +++ S+++- UU'],
    messages: [({ chatId, theirs }) => ({ chatId, messageIds: [theirs] }), '++++ 00000 +++ S+++0 UU'],
  },
  get_messages: {
    '': [({ chatId }) => ({ chatId }), '++++ ----- +++ ++++- UU'],
    'around a message': [({ chatId, theirs }) => ({ chatId, aroundMessageId: theirs }), '++++ ----- +++ ++++- UU'],
  },
  get_read_marks: { '': [({ chatId }) => ({ chatId }), '++++ ----- +++ S+++- UU'] },
  search_messages: { '': [({ chatId }) => ({ chatId, query: 'findable' }), '++++ 00000 +++ S+++0 UU'] },
  sync: { '': [({ chatId }) => ({ chats: { [chatId]: 1 } }), '++++ 00000 +++ ++++0 UU'] },
  list_chats: {
    'one’s own': [() => ({}), '++++ 00000 +++ .+++0 UU'],
    'all, by id': [({ chatId }) => ({ after: chatId.slice(0, -1) }), 'VVVV VVVVV VVV +VVVV UU'],
  },
  get_chat: { '': [({ chatId }) => ({ chatId }), '++++ ----- +++ ++++- UU'] },
  set_chat_settings: { '': [({ chatId }) => ({ chatId, isPinned: true, mutedUntil: null }), '++++ ----- +++ S+++- UU'] },
  create_chat: {
    'a group': [({ newcomer }) => ({ type: 'group', memberIds: [newcomer] }), '++++ +++++ +++ +++++ UU'],
    'a direct chat': [({ newcomer }) => ({ type: 'direct', memberIds: [newcomer] }), '++++ +++++ +++ +++++ UU'],
    'a direct chat that is there': [({ self, other }) => ({ type: 'direct', memberIds: [self, other] }), '.... ..... +++ ...+. UU'],
    'a direct chat with one who blocks': [({ self, hermit }) => ({ type: 'direct', memberIds: [self, hermit] }), 'BBBB BBBBB BBB BBBBB UU'],
    'under an id of one’s own': [({ self, own }) => ({ type: 'group', memberIds: [self], chatId: own }), 'VVVV VVVVV VVV +++++ UU'],
  },
  update_chat: {
    title: [({ chatId }) => ({ chatId, title: 'changed' }), '++FF ----- CCC +FFC- UU'],
    metadata: [({ chatId }) => ({ chatId, metadata: { order: 1 } }), '++FF ----- +BB +FFB- UU'],
    rules: [({ chatId }) => ({ chatId, slowModeSeconds: 1, isFrozen: false }), '++FF ----- CCC +FFC- UU'],
  },
  list_members: { '': [({ chatId }) => ({ chatId }), '++++ ----- +++ ++++- UU'] },
  add_members: {
    'somebody': [({ chatId, newcomer }) => ({ chatId, userIds: [newcomer] }), '++FF ----- CCC +FFC- UU'],
    'somebody banned': [({ chatId, banned }) => ({ chatId, userIds: [banned] }), 'KKFF ----- CCC KFFC- UU'],
  },
  remove_member: {
    'a member': [({ chatId, other }) => ({ chatId, userId: other }), '++FF ----- CCC +FFC- UU'],
    'an admin': [({ chatId, admin }) => ({ chatId, userId: admin }), '++FF ----- CCC +FFC- UU'],
    'an owner': [({ chatId, owner }) => ({ chatId, userId: owner }), '+FFF ----- CCC +FFC- UU'],
    oneself: [({ chatId, self }) => ({ chatId, userId: self }), '++++ ----- CCC .++C- UU'],
  },
  set_member_role: {
    'of a member': [({ chatId, other }) => ({ chatId, userId: other, role: 'admin' }), '+FFF ----- CCC +FFC- UU'],
    'of an owner': [({ chatId, owner }) => ({ chatId, userId: owner, role: 'member' }), '+FFF ----- CCC +FFC- UU'],
    'one’s own': [({ chatId, self }) => ({ chatId, userId: self, role: 'owner' }), '+FFF ----- CCC .FFC- UU'],
  },
  leave_chat: { '': [({ chatId }) => ({ chatId }), '++++ ----- CCC S++C- UU'] },
  mute_member: {
    'a member': [({ chatId, other }) => ({ chatId, userId: other }), '++FF ----- CCC +FFC- UU'],
    'an admin': [({ chatId, admin }) => ({ chatId, userId: admin }), '+FFF ----- CCC +FFC- UU'],
    'an owner': [({ chatId, owner }) => ({ chatId, userId: owner }), '+FFF ----- CCC +FFC- UU'],
    oneself: [({ chatId, self }) => ({ chatId, userId: self, until: null }), 'FFFF ----- CCC .FFC- UU'],
    'who is no member': [({ chatId, stranger }) => ({ chatId, userId: stranger }), '--FF ----- CCC -FFC- UU'],
  },
  ban_member: {
    'a member': [({ chatId, other }) => ({ chatId, userId: other }), '++FF ----- CCC +FFC- UU'],
    'an admin': [({ chatId, admin }) => ({ chatId, userId: admin }), '+FFF ----- CCC +FFC- UU'],
    'an owner': [({ chatId, owner }) => ({ chatId, userId: owner }), '+FFF ----- CCC +FFC- UU'],
    oneself: [({ chatId, self }) => ({ chatId, userId: self }), 'FFFF ----- CCC .FFC- UU'],
    'who is no member': [({ chatId, stranger }) => ({ chatId, userId: stranger }), '++FF ----- CCC +FFC- UU'],
  },
  unban_member: { '': [({ chatId, banned }) => ({ chatId, userId: banned }), '++FF ----- CCC +FFC- UU'] },
  list_bans: { '': [({ chatId }) => ({ chatId }), '++FF ----- CCC +FFC- UU'] },
  block_user: {
    somebody: [({ newcomer }) => ({ userId: newcomer }), '++++ +++++ +++ S++++ UU'],
    oneself: [({ self }) => ({ userId: self }), 'VVVV VVVVV VVV SVVVV UU'],
  },
  register_device: { '': [() => ({ kind: 'fcm', token: 'fcm-token:1' }), '++++ +++++ +++ S++++ UU'] },
  unregister_device: { 'of nobody': [({ own }) => ({ deviceId: own }), '++++ +++++ +++ S++++ UU'] },
  unblock_user: { '': [({ newcomer }) => ({ userId: newcomer }), '++++ +++++ +++ S++++ UU'] },
  get_users: {
    'a member': [({ other }) => ({ userIds: [other] }), '++++ 00000 +00 +++00 UU'],
    oneself: [({ self }) => ({ userIds: [self] }), '++++ +++++ +++ .++++ UU'],
  },
  typing: { '': [({ chatId }) => ({ chatId, isTyping: true }), '+++M ----- +BB OOOOO ..'] },
  set_presence: { '': [() => ({ status: 'online' }), '++++ +++++ +++ S++++ UU'] },
  watch_presence: { 'of a member': [({ other }) => ({ userIds: [other] }), '++++ 00000 +00 OOOOO ..'] },
  unwatch_presence: { '': [({ other }) => ({ userIds: [other] }), '++++ +++++ +++ OOOOO ..'] },
  refresh_token: { '': [({ token }) => ({ token }), '++++ +++++ +++ OOOOO ..'] },
  logout: { '': [() => ({}), '++++ +++++ +++ OOOOO ..'] },
}

/** What of a request a route is asked with. */
export interface Asked {
  chatId?: string
  userId?: string
  attachmentId?: string
  /** Of two that are made before: one that stays, and one that is deleted. */
  hookId?: 'stays' | 'goes'
  query?: string
  body?: object
}

/** The routes that are no command’s twin × actors, in the same columns. */
// biome-ignore format: rows are read in columns
export const ROUTE_ROWS: Record<ResourceName, Case<Asked>> = {
  get_health: [() => ({}), '++++ +++++ +++ +++++ ++'],
  get_ready: [() => ({}), '++++ +++++ +++ +++++ ++'],
  get_live: [() => ({}), '++++ +++++ +++ +++++ ++'],
  get_metrics: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  list_online: [() => ({}), '++++ 00000 +00 +++00 U+'],
  get_status: [({ other }) => ({ userId: other }), '++++ 00000 +00 +++00 U+'],
  get_statuses: [({ other }) => ({ body: { userIds: [other] } }), '++++ 00000 +00 +++00 U+'],
  get_attachment: [({ attachment }) => ({ attachmentId: attachment }), '++++ ----- +++ ++++- UU'],
  put_attachment: [({ attachment }) => ({ attachmentId: attachment }), '---- ----- --- ----- --'],
  get_push_key: [() => ({}), '++++ +++++ +++ +++++ U+'],
  put_user: [({ newcomer }) => ({ userId: newcomer, body: { name: 'changed' } }), 'XXXX XXXXX XXX +XXXX UU'],
  delete_user: [({ newcomer }) => ({ userId: newcomer, query: '?erase=messages' }), 'XXXX XXXXX XXX +XXXX UU'],
  get_erasure: [({ newcomer }) => ({ userId: newcomer }), 'XXXX XXXXX XXX +XXXX UU'],
  export_user: [({ newcomer }) => ({ userId: newcomer }), 'XXXX XXXXX XXX +XXXX UU'],
  delete_chat: [({ chatId }) => ({ chatId }), 'XXXX XXXXX XXX +XXXX UU'],
  disconnect_user: [({ newcomer }) => ({ userId: newcomer }), 'XXXX XXXXX XXX +XXXX UU'],
  revoke_tokens: [({ newcomer }) => ({ userId: newcomer }), 'XXXX XXXXX XXX +XXXX UU'],
  get_unread: [({ other }) => ({ body: { userIds: [other] } }), 'XXXX XXXXX XXX +XXXX UU'],
  list_reports: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  list_hooks: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_hook: [() => ({ hookId: 'stays' }), 'XXXX XXXXX XXX +XXXX UU'],
  put_hook: [() => ({ hookId: 'stays', body: { url: 'http://127.0.0.1:9/', events: ['member.unread'] } }), 'XXXX XXXXX XXX +XXXX UU'],
  delete_hook: [() => ({ hookId: 'goes' }), 'XXXX XXXXX XXX +XXXX UU'],
  replay_hook: [({ chatId }) => ({ hookId: 'stays', body: { chatId } }), 'XXXX XXXXX XXX +XXXX UU'],
  list_heads: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_openapi: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_asyncapi: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_docs: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_events: [() => ({}), 'XXXX XXXXX XXX +XXXX UU'],
  get_page: [() => ({}), '++++ +++++ +++ +++++ ++'],
  get_page_settings: [() => ({}), '++++ +++++ +++ +++++ ++'],
  get_demo_tokens: [() => ({}), '---- ----- --- ----- -+'],
}

/** All columns. */
export const ACTORS: Actor[] = Object.values(GROUPS).flat()

const isMark = (letter: string): letter is Mark => Object.hasOwn(MARKS, letter)

/** A row as what each actor is answered. */
export function readRow(row: string): Map<Actor, Mark> {
  const marks = [...row.replaceAll(' ', '')].filter(isMark)
  const fits =
    row
      .split(' ')
      .map(({ length }) => length)
      .join() ===
    Object.values(GROUPS)
      .map(({ length }) => length)
      .join()
  if (!fits || marks.length !== ACTORS.length) throw new Error(`not a row: ${row}`)
  return new Map(ACTORS.map((actor, i) => [actor, marks[i] ?? '.']))
}
