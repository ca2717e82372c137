import type { Input } from '../../contract/commands.js'
import { ChatError, invalid } from '../../contract/errors.js'
import { FOR_GOOD } from '../../contract/limits.js'
import type { Chat, MyChat } from '../../contract/shapes.js'
import type { Handlers } from '../binder/index.js'
import type { Caller } from '../hub/callers.js'
import type { NewChat } from '../log/changes.js'
import type { Log } from '../log/index.js'
import type { Users } from '../users/index.js'
import { actorOf, askerOf } from './callers.js'

export interface ChatCommandOptions {
  log: Log
  users: Users
}

/** Chats and who is in them. */
export function createChatCommands({ log, users }: ChatCommandOptions) {
  async function shared(chatId: string): Promise<Chat> {
    const chat = await log.getChat(chatId)
    if (!chat) throw new ChatError('NOT_FOUND')
    return chat
  }

  /** A service is told of users who are not there; to users all ids look alike. */
  async function mustKnow(caller: Caller, field: string, userIds: string[]): Promise<void> {
    if (caller.kind !== 'service') return
    const unknown = await users.findUnknown(userIds)
    if (unknown.length === 0) return
    throw invalid(...unknown.map((userId) => ({ path: `/${field}/${userIds.indexOf(userId)}`, message: 'is no user' })))
  }

  return {
    // By id for a service, whose chats are all; by activity for a user.
    async list_chats(caller, input) {
      const { cursor, after, filter, limit } = input
      if (caller.kind === 'service') {
        if (cursor !== undefined) throw invalid({ path: '/cursor', message: 'is for users: go on with after' })
        if (filter !== undefined) throw invalid({ path: '/filter', message: 'is for users' })
        return log.listAllChats(after, limit)
      }
      if (after !== undefined) throw invalid({ path: '/after', message: 'is for services: go on with cursor' })
      return log.listChats(caller.userId, input, caller)
    },

    async get_chat(caller, { chatId }) {
      const chat =
        caller.kind === 'service'
          ? (await log.getAnyChats([chatId])).get(chatId)
          : (await log.getChatFor(chatId, [caller.userId], caller)).get(caller.userId)
      if (!chat) throw new ChatError('NOT_FOUND')
      return { chat }
    },

    async set_chat_settings({ userId }, input) {
      return { settings: await log.setSettings(userId, input) }
    },

    async create_chat(caller, input) {
      const planned = plan(caller, input)
      await mustKnow(caller, 'memberIds', input.memberIds)
      const { chatId, created } = await log.createChat(planned)
      const seen = await log.getChatFor(chatId, planned.founders)
      // Who made it sees it; a service sees it as its first member does.
      const chat =
        seen.get(planned.owner) ??
        (caller.kind === 'service' ? ([...seen.values()][0] as MyChat | undefined) : undefined)
      if (!chat) throw new ChatError('CONFLICT', { message: 'This chatId belongs to another chat.' })
      return { chat, created }
    },

    async update_chat(caller, input) {
      await log.updateChat(actorOf(caller), input)
      return { chat: await shared(input.chatId) }
    },

    async set_member_role(caller, input) {
      await log.setRole(actorOf(caller), input)
      return { chat: await shared(input.chatId) }
    },

    async leave_chat({ userId }, { chatId }) {
      await log.removeMember(chatId, userId, userId)
      return { chat: await shared(chatId) }
    },

    list_members: (caller, { chatId, cursor, limit }) =>
      log.listMembers(actorOf(caller), chatId, cursor, limit, askerOf(caller)),

    async add_members(caller, { chatId, userIds }) {
      await mustKnow(caller, 'userIds', userIds)
      await log.addMembers(chatId, actorOf(caller), userIds)
      return { chat: await shared(chatId) }
    },

    async mute_member(caller, { chatId, userId, until = FOR_GOOD }) {
      await log.mute(chatId, actorOf(caller), userId, until)
      return { chat: await shared(chatId) }
    },

    async ban_member(caller, { chatId, userId }) {
      await log.ban(chatId, actorOf(caller), userId)
      return { chat: await shared(chatId) }
    },

    async unban_member(caller, { chatId, userId }) {
      await log.unban(chatId, actorOf(caller), userId)
      return { chat: await shared(chatId) }
    },

    list_bans: (caller, { chatId, cursor, limit }) => log.listBans(chatId, actorOf(caller), cursor, limit),

    async remove_member(caller, { chatId, userId }) {
      await log.removeMember(chatId, actorOf(caller), userId)
      return { chat: await shared(chatId) }
    },
  } satisfies Partial<Handlers>
}

/** What a caller may make, or why not. */
function plan(caller: Caller, input: Input<'create_chat'>): NewChat {
  const { type, title, metadata, historyVisibility, chatId, memberIds } = input
  if (chatId !== undefined && caller.kind === 'user' && !caller.isService) {
    throw invalid({ path: '/chatId', message: 'is for services to choose' })
  }
  const owner = caller.kind === 'user' ? caller.userId : memberIds[0]
  if (owner === undefined) throw invalid({ path: '/memberIds', message: 'must name somebody' })
  const founders = [...new Set([owner, ...memberIds])]
  if (type === 'direct') {
    if (founders.length > 2) throw invalid({ path: '/memberIds', message: 'a direct chat is of two' })
    if (title != null) throw invalid({ path: '/title', message: 'a direct chat has none' })
  }
  return { type, title, metadata, historyVisibility, chatId, owner, founders, isByService: caller.kind === 'service' }
}
