import { type Static, Type } from '@sinclair/typebox'
import { Nullable } from './fields.js'
import { Message } from './shapes.js'

const Seq = Type.Integer({ minimum: 1 })
const Count = Type.Integer({ minimum: 0 })

/** `member.unread`: what somebody who is away has not read in a chat, a while after it was sent. */
export const UnreadNotice = Type.Object(
  {
    noticeId: Type.String({ description: 'the same where a notice comes again' }),
    userId: Type.String(),
    chatId: Type.String(),
    fromSeq: Type.Unsafe<number>({ ...Seq, description: 'the first message that this is about' }),
    throughSeq: Type.Unsafe<number>({ ...Seq, description: 'the last of them' }),
    unreadCount: Type.Unsafe<number>({ ...Count, description: 'unread in this chat, counted to 100' }),
    unreadMentions: Count,
    total: Type.Unsafe<number>({ ...Count, description: 'unread in all chats that are not muted, archived or hidden' }),
    lastMessage: Nullable(Message),
  },
  { title: 'UnreadNotice' },
)
export type UnreadNotice = Static<typeof UnreadNotice>
