import { ChatError, invalid } from '../../contract/errors.js'
import type { Handlers } from '../binder/index.js'
import type { UserCaller } from '../hub/callers.js'
import type { Receipts } from '../hub/receipts.js'
import type { Typing } from '../hub/typing.js'
import type { Log } from '../log/index.js'
import type { Author } from '../log/messages.js'
import type { Logger } from '../logger.js'
import type { Uploads } from '../uploads/index.js'
import { actorOf, askerOf } from './callers.js'

export interface MessageCommandOptions {
  log: Log
  uploads: Pick<Uploads, 'confirm'>
  receipts: Receipts
  typing: Typing
  logger: Logger
  maxMessageChars: number
}

/** The author of what a caller writes. */
const authorOf = ({ userId, isService }: UserCaller): Author => ({ userId, isByService: isService === true })

/** Sending, reading and typing. */
export function createMessageCommands(options: MessageCommandOptions) {
  const { log, uploads, receipts, typing, logger, maxMessageChars } = options

  /** Characters are code points; a text never has more of them than units. */
  function mustFit(content = ''): void {
    if (content.length <= maxMessageChars || [...content].length <= maxMessageChars) return
    throw invalid({ path: '/content', message: `must not have more than ${maxMessageChars} characters` })
  }

  return {
    async send_message(caller, input, asked) {
      const { userId, isByService } = authorOf(caller)
      mustFit(input.content)
      const { chatId } = input
      if (input.attachmentIds?.length) await uploads.confirm(userId, chatId, input.attachmentIds)
      const original = asked === input ? undefined : { content: asked.content, metadata: asked.metadata }
      const { content, clientMessageId, replyToId, mentions, attachmentIds, metadata } = input
      const sent = await log.append({
        chatId,
        senderId: userId,
        isByService,
        content,
        clientMessageId,
        replyToId,
        mentions,
        attachmentIds,
        metadata,
        original,
      })
      const { id, seq } = sent.message
      logger.debug(
        { messageId: id, chatId, seq, userId },
        sent.duplicate ? '📝 message was stored before' : '📝 message stored',
      )
      return sent
    },

    async edit_message(caller, { messageId, ...edit }) {
      mustFit(edit.content ?? '')
      return { message: await log.edit(authorOf(caller), messageId, edit) }
    },

    async get_message(caller, { messageId }) {
      return { message: await log.getMessage(actorOf(caller), messageId) }
    },

    list_mentions: (caller, input) => log.listMentions(caller.userId, input, caller),

    async delete_message(caller, { messageId }) {
      return { message: await log.delete(caller.userId, messageId) }
    },

    async add_reaction(caller, { messageId, emoji }) {
      return { message: await log.react(authorOf(caller), messageId, emoji, true) }
    },

    async remove_reaction(caller, { messageId, emoji }) {
      return { message: await log.react(authorOf(caller), messageId, emoji, false) }
    },

    async pin_message(caller, { messageId }) {
      return { message: await log.pin(authorOf(caller), messageId, true) }
    },

    async unpin_message(caller, { messageId }) {
      return { message: await log.pin(authorOf(caller), messageId, false) }
    },

    list_pins: (caller, input) => log.listPins(caller.userId, input, caller),

    async report_message({ userId }, input) {
      await log.report(userId, input)
      return {}
    },

    search_messages: (caller, input) => log.search(caller.userId, input, caller),
    sync: (caller, input) => log.sync(actorOf(caller), input, askerOf(caller)),
    get_messages: (caller, input) => log.getMessages(actorOf(caller), input, askerOf(caller)),

    async mark_as_read({ userId }, { chatId, upToSeq, messageIds }) {
      const marked = messageIds
        ? await log.markMessages(userId, messageIds)
        : await log.markUpTo(userId, chatId as string, upToSeq as number)
      if (!messageIds && marked.length === 0) throw new ChatError('NOT_FOUND')
      for (const { state, moved } of marked) {
        if (moved) receipts.read({ chatId: state.chatId, userId, lastReadSeq: state.lastReadSeq })
      }
      return { chats: marked.map(({ state }) => state) }
    },

    async get_read_marks(caller, { chatId }) {
      return { marks: await log.getReadMarks(caller.userId, chatId, caller) }
    },

    async typing(caller, input) {
      await typing.type(caller.client, input)
      return {}
    },
  } satisfies Partial<Handlers>
}
