import type { CommandName, Input, Output } from '../../../contract/commands.js'
import {
  ALICE,
  ATTACHMENT,
  BOB,
  CHAT,
  CHAT_ID,
  DELETED,
  EDITED,
  LATER,
  MEMBER,
  MESSAGE,
  MESSAGE_ID,
  MY_CHAT,
  PINNED,
  PRESENCE,
  REACTED,
  SENT_AT,
  SETTINGS,
  UPLOAD_ID,
} from './world.js'

/** What a command takes, and what it answers then. */
interface Example<C extends CommandName> {
  input: Input<C>
  output: Output<C>
}

const chatId = CHAT_ID
const messageId = MESSAGE_ID
const userId = 'bob'

/** An example of every command. */
export const COMMAND_EXAMPLES: { [C in CommandName]: Example<C> } = {
  send_message: {
    input: {
      chatId,
      content: 'Here is the plan, @Bob.',
      clientMessageId: 'c-1',
      mentions: { userIds: [userId] },
      attachmentIds: [UPLOAD_ID],
      metadata: { orderId: 'A-17' },
    },
    output: { message: MESSAGE, duplicate: false },
  },
  edit_message: { input: { messageId, content: 'Here is the new plan, @Bob.' }, output: { message: EDITED } },
  get_message: { input: { messageId }, output: { message: MESSAGE } },
  list_mentions: { input: { limit: 20 }, output: { messages: [MESSAGE], nextCursor: null } },
  delete_message: { input: { messageId }, output: { message: DELETED } },
  add_reaction: { input: { messageId, emoji: '👍' }, output: { message: REACTED } },
  remove_reaction: { input: { messageId, emoji: '👍' }, output: { message: MESSAGE } },
  pin_message: { input: { messageId }, output: { message: PINNED } },
  unpin_message: { input: { messageId }, output: { message: MESSAGE } },
  list_pins: { input: { chatId }, output: { messages: [PINNED], nextCursor: null } },
  report_message: { input: { messageId, reason: 'spam', comment: 'The same in every chat.' }, output: {} },
  create_upload: {
    input: { chatId, name: 'plan.png', mimeType: 'image/png', size: 48_213, width: 1_280, height: 720 },
    output: {
      attachment: ATTACHMENT,
      upload: {
        method: 'PUT',
        url: `/attachments/${UPLOAD_ID}`,
        headers: { 'content-type': 'image/png', 'x-upload-token': 'the-token-of-this-upload' },
        expiresAt: LATER,
      },
    },
  },
  mark_as_read: {
    input: { chatId, upToSeq: 42 },
    output: { chats: [{ chatId, lastReadSeq: 42, unreadCount: 0, unreadCapped: false }] },
  },
  get_read_marks: { input: { chatId }, output: { marks: [{ userId, lastReadSeq: 41 }] } },
  get_messages: {
    input: { chatId, beforeSeq: 43, limit: 1 },
    output: { messages: [MESSAGE], hasBefore: true, hasAfter: false, revision: 57 },
  },
  search_messages: { input: { query: 'plan', after: SENT_AT }, output: { messages: [MESSAGE], nextCursor: null } },
  sync: {
    input: { chats: { [chatId]: 56 } },
    output: {
      chats: {
        [chatId]: {
          changes: [{ chatId, revision: 57, type: 'message_created', actorId: 'alice', message: MESSAGE }],
          through: 57,
          head: 57,
          more: false,
        },
      },
    },
  },
  list_chats: { input: { filter: 'active', limit: 50 }, output: { chats: [MY_CHAT], nextCursor: null } },
  get_chat: { input: { chatId }, output: { chat: MY_CHAT } },
  set_chat_settings: { input: { chatId, isPinned: true }, output: { settings: SETTINGS } },
  create_chat: {
    input: { type: 'group', memberIds: [userId], title: 'The move' },
    output: { chat: MY_CHAT, created: true },
  },
  update_chat: {
    input: { chatId, title: 'The move', metadata: { projectId: 'P-3' } },
    output: { chat: CHAT },
  },
  list_members: { input: { chatId }, output: { members: [MEMBER], nextCursor: null } },
  add_members: { input: { chatId, userIds: [userId] }, output: { chat: CHAT } },
  remove_member: { input: { chatId, userId }, output: { chat: { ...CHAT, memberCount: 1 } } },
  set_member_role: { input: { chatId, userId, role: 'admin' }, output: { chat: CHAT } },
  leave_chat: { input: { chatId }, output: { chat: { ...CHAT, memberCount: 1 } } },
  mute_member: { input: { chatId, userId, until: LATER }, output: { chat: CHAT } },
  ban_member: { input: { chatId, userId }, output: { chat: { ...CHAT, memberCount: 1 } } },
  unban_member: { input: { chatId, userId }, output: { chat: { ...CHAT, memberCount: 1 } } },
  list_bans: {
    input: { chatId },
    output: { bans: [{ user: BOB, actorId: 'alice', at: LATER }], nextCursor: null },
  },
  block_user: { input: { userId }, output: { blockedUserIds: [userId] } },
  unblock_user: { input: { userId }, output: { blockedUserIds: [] } },
  register_device: {
    input: {
      kind: 'web',
      subscription: {
        endpoint: 'https://push.example.com/send/dGhlIHBhZ2U',
        keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
      },
    },
    output: { deviceId: UPLOAD_ID },
  },
  unregister_device: { input: { deviceId: UPLOAD_ID }, output: {} },
  get_users: { input: { userIds: [userId] }, output: { users: [BOB] } },
  typing: { input: { chatId, isTyping: true }, output: {} },
  set_presence: {
    input: { status: 'away' },
    output: { presence: { ...PRESENCE, userId: ALICE.userId, status: 'away' } },
  },
  watch_presence: { input: { userIds: [userId] }, output: { presences: [PRESENCE] } },
  unwatch_presence: { input: { userIds: [userId] }, output: { presences: [] } },
  refresh_token: { input: { token: 'eyJhbGciOiJIUzI1NiJ9.the.token' }, output: { expiresAt: LATER } },
  logout: { input: {}, output: {} },
}
