import { ChatError, invalid } from '../../contract/errors.js'
import type { Handlers } from '../binder/index.js'
import type { createReceipts } from '../feed/receipts.js'
import type { createTyping } from '../feed/typing.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import { clientOf, userOf } from './callers.js'

export interface MessageCommandOptions {
  log: Log
  receipts: ReturnType<typeof createReceipts>
  typing: ReturnType<typeof createTyping>
  logger: Logger
  maxMessageChars: number
}

/** Sending, reading and typing. */
export function createMessageCommands({ log, receipts, typing, logger, maxMessageChars }: MessageCommandOptions) {
  return {
    async send_message(caller, input) {
      const { userId } = userOf(caller)
      if (input.content.length > maxMessageChars && [...input.content].length > maxMessageChars) {
        throw invalid({ path: '/content', message: `must not have more than ${maxMessageChars} characters` })
      }
      const sent = await log.append({ ...input, senderId: userId })
      const { id, chatId, seq } = sent.message
      logger.debug(
        { messageId: id, chatId, seq, userId },
        sent.duplicate ? '📝 message was stored before' : '📝 message stored',
      )
      return sent
    },

    get_messages: (caller, input) => log.getMessages(userOf(caller).userId, input),

    async mark_as_read(caller, { chatId, upToSeq, messageIds }) {
      const { userId } = userOf(caller)
      const marked = messageIds
        ? await log.markMessages(userId, messageIds)
        : await log.markUpTo(userId, chatId as string, upToSeq as number)
      if (!messageIds && marked.length === 0) throw new ChatError('NOT_FOUND')
      for (const { state, moved } of marked) {
        if (moved) receipts.read({ chatId: state.chatId, userId, lastReadSeq: state.lastReadSeq })
      }
      return { chats: marked.map(({ state }) => state) }
    },

    typing(caller, input) {
      typing.type({ ...userOf(caller), client: clientOf(caller) }, input)
      return {}
    },
  } satisfies Partial<Handlers>
}
