import type { UserEnd } from '../../services/log/recent.js'
import type { LastSeen } from '../../services/users/index.js'
import type { ChangeRow, Line, SentRow, Store, StoredChat, StoredMessage } from './database.js'
import { isSince } from './transactions.js'

type Row = Record<string, unknown>
/** What a statement answers, by the name that it is prepared under; those of the query builder have their values as one object. */
export type Statements = Record<string, (...values: never[]) => Row[]>

const EPOCH = '2026-01-01T00:00:00.000Z'
const NO_MESSAGE = { m_id: null }

/** The statements that write, and so are numbered. */
export const WRITES = new Set([
  'log_append',
  'log_append_soon',
  'log_add_members',
  'log_remove_member',
  'log_update_chat',
  'log_change_messages',
  'revoke_tokens',
  'end_users',
])

/** The statements that services run, as PostgreSQL would answer them; one that is not here is a fault of the simulator. */
export function createStatements(store: Store, onStored: (message: StoredMessage) => void): Statements {
  const { chats, users, messages } = store

  const messageRow = (message: StoredMessage): Row => ({
    m_id: message.id,
    m_chat_id: message.chatId,
    m_seq: message.seq,
    m_revision: message.revision,
    m_sender_id: message.senderId,
    s_name: message.senderId,
    s_avatar_url: null,
    m_client_message_id: message.clientMessageId,
    m_content: message.content,
    m_reply_to_id: null,
    m_reply_to_seq: null,
    m_mentions: null,
    m_attachments: null,
    m_pinned_at: null,
    m_metadata: null,
    m_created_at: message.createdAt,
    m_edited_at: message.editedAt,
    m_deleted_at: null,
    m_reactions: null,
  })

  function chatRow(chat: StoredChat): Row {
    const last = chat.lines.findLast(({ kind }) => kind === 'message_created')?.message
    return {
      id: chat.id,
      type: 'group',
      title: chat.title,
      member_count: chat.members.size,
      created_at: EPOCH,
      revision: chat.lines.length,
      first_seq: 1,
      last_seq: chat.lastSeq,
      history_visibility: 'all',
      last_activity_at: EPOCH,
      slow_mode_seconds: 0,
      is_frozen: false,
      ...(last ? messageRow(last) : NO_MESSAGE),
    }
  }

  const myChatRow = (chat: StoredChat, userId: string): Row => ({
    ...chatRow(chat),
    user_id: userId,
    role: 'member',
    last_read_seq: 0,
    unread: 0,
    unread_mentions: 0,
    own_muted_until: null,
    is_pinned: null,
    is_archived: null,
    is_hidden: null,
    is_marked_unread: null,
    others: null,
  })

  const lineRow = (chat: StoredChat, { revision, kind, userId, message }: Line): Row => ({
    chat_id: chat.id,
    revision,
    kind,
    actor_id: message?.senderId ?? null,
    user_id: userId ?? null,
    name: userId ?? null,
    avatar_url: null,
    role: 'member',
    joined_at: EPOCH,
    muted_until: null,
    member_count: chat.members.size,
    hidden_from: null,
    expired_through: null,
    ...(message ? messageRow(message) : NO_MESSAGE),
  })

  /** The chats of a user. */
  const chatsOf = (userId: string) => [...chats.values()].filter(({ members }) => members.has(userId))
  const some = <T>(ids: string[], find: (id: string) => T | undefined) => ids.flatMap((id) => find(id) ?? [])

  /** Makes a change in a chat, and answers it as `write` of the Log's asks for it. */
  function change(chatId: string, make: (chat: StoredChat) => Row | undefined): Row[] {
    const chat = chats.get(chatId)
    if (!chat) return [{ outcome: 'no_chat', of_chat: chatId, after: 0, through: 0 }]
    const after = chat.lines.length
    const rest = make(chat)
    const through = chat.lines.length
    return [{ outcome: through > after ? 'ok' : 'same', of_chat: chatId, after, through, ...rest }]
  }

  const endRow = ({ userId, code, atMs }: (typeof store.userEnds)[number]) => ({ userId, code, atMs })

  /** What was committed since a snapshot, as `RECENT` answers it. */
  function recent(since: string | null): Row {
    const snapshot = store.transactions.snapshot()
    const isNew = since === null ? () => false : isSince(since, snapshot)
    const heads: [string, number][] = []
    const joined: [string, string][] = []
    let count = 0
    for (const { id, lines } of chats.values()) {
      const found = lines.filter(({ xid }) => isNew(xid))
      const last = found.at(-1)
      if (last) heads.push([id, last.revision])
      for (const { kind, userId } of found) if (kind === 'member_added' && userId) joined.push([id, userId])
      count += found.length
    }
    const ends = store.userEnds.filter(({ xid }) => isNew(xid)).map(endRow)
    return { snapshot, epoch: store.epoch, lines: count, heads, joined, ends, now_ms: store.now() }
  }

  const sent = (id: string): Row[] => some([id], (id) => messages.get(id)).map(messageRow)
  const share = (one: string, other: string) => chatsOf(one).some(({ members }) => members.has(other))

  function append(_chatIds: string[], sends: string): Row[] {
    const outcomes = (JSON.parse(sends) as SentRow[]).map((sent) => {
      const outcome = store.append(sent)
      const message = outcome[0] === 'stored' && messages.get(sent.id)
      if (message) onStored(message)
      return outcome
    })
    return [{ at: store.time(), outcomes }]
  }

  return {
    log_append: append,
    // Nobody holds a chat here for longer than a statement takes.
    log_append_soon: append,
    log_add_members: (chatId: string, _actorId: null, userIds: string[]) =>
      change(chatId, (chat) => ({ added: userIds.filter((userId) => store.join(chat, userId)) })),
    log_remove_member: (chatId: string, _actorId: null, userId: string) =>
      change(chatId, (chat) => void store.leave(chat, userId)),
    log_update_chat: (chatId: string, _actorId: null, _hasTitle: boolean, title: string) =>
      change(chatId, (chat) => void store.rename(chat, title)),
    message_places: (ids: string[]) =>
      some(ids, (id) => messages.get(id)).map(({ id, chatId }) => ({ id, chat_id: chatId })),
    log_change_messages: (_chatIds: string[], changes: string) => {
      const outcomes = (JSON.parse(changes) as ChangeRow[]).map(({ message_id, actor_id, fields }) => {
        const message = messages.get(message_id)
        if (!message || message.senderId !== actor_id || !chats.get(message.chatId)?.members.has(actor_id)) {
          return ['no_message', null, null, null]
        }
        const outcome = store.edit(message_id, fields.content) ? 'ok' : 'same'
        return [outcome, message.revision, null, null]
      })
      return [{ outcomes }]
    },
    changed_messages: (ids: string[]) => some(ids, (id) => messages.get(id)).map(messageRow),

    log_read: (spans: string) =>
      (JSON.parse(spans) as { chatId: string; after: number; through: number }[]).flatMap(
        ({ chatId, after, through }) => {
          const chat = chats.get(chatId)
          return chat ? chat.lines.slice(after, through).map((line) => lineRow(chat, line)) : []
        },
      ),
    chats: (ids: string[]) => some(ids, (id) => chats.get(id)).map(chatRow),
    chats_of: (userIds: string[]) =>
      userIds.flatMap((userId) => chatsOf(userId).map((chat) => myChatRow(chat, userId))),
    chat_for: (chatId: string, userIds: string[]) =>
      some([chatId], (id) => chats.get(id)).flatMap((chat) =>
        userIds.filter((userId) => chat.members.has(userId)).map((userId) => myChatRow(chat, userId)),
      ),
    chat_ids_of: (userIds: string[]) =>
      userIds
        .map((userId) => ({ user_id: userId, chat_ids: chatsOf(userId).map(({ id }) => id) }))
        .filter(({ chat_ids }) => chat_ids.length > 0),
    chat_heads: ({ chatIds }: { chatIds: string[] }) =>
      some(chatIds, (id) => chats.get(id)).map(({ id, lines }) => ({ id, revision: lines.length })),
    log_recent: (since: string | null) => [recent(since)],
    recent_ends: () => store.userEnds.map(endRow),
    begin_epoch: (epoch: string) => {
      if (store.epoch === null) store.epochs += 1
      store.epoch ??= epoch
      return []
    },
    end_users: (json: string) => {
      const ends = JSON.parse(json) as { userId: string; code: UserEnd['code']; agoMs: number }[]
      for (const { userId, code, agoMs } of ends) store.endUser(userId, code, agoMs)
      return []
    },

    sync_stands: (userId: string, chatIds: string[]) =>
      some(chatIds, (id) => chats.get(id)).flatMap((chat) => {
        const member = chat.members.get(userId)
        return member ? [{ chat_id: chat.id, revision: chat.lines.length, joined_revision: member.joinedRevision }] : []
      }),
    history_message: (id: string, userId: string) =>
      chats.get(messages.get(id)?.chatId ?? '')?.members.has(userId) ? sent(id) : [],
    history_sent: (id: string) => sent(id),

    accounts: ({ userIds }: { userIds: string[] }) =>
      userIds
        .filter((userId) => users.has(userId))
        .map((id) => {
          const from = users.get(id)?.tokensValidFromMs ?? 0
          const tokensValidFrom = from > 0 ? new Date(from).toISOString() : null
          return { id, name: id, avatarUrl: null, deletedAt: null, tokensValidFrom }
        }),
    revoke_tokens: ({ userId }: { userId: string }) => [{ validFrom: store.revoke(userId) }],
    save_last_seen: (json: string) => {
      for (const { userId, ...seen } of JSON.parse(json) as LastSeen[]) {
        const user = users.get(userId)
        if (user && (user.seen?.version ?? 0) < seen.version) user.seen = seen
      }
      return []
    },
    last_seen: ({ userIds }: { userIds: string[] }) =>
      userIds.flatMap((userId) => {
        const seen = users.get(userId)?.seen
        return seen ? [{ userId, lastSeenAt: new Date(seen.lastSeenAtMs).toISOString(), version: seen.version }] : []
      }),
    blocks_of: () => [],
    visible_to: ({ viewerId, userIds }: { viewerId: string; userIds: string[] }) =>
      userIds.filter((userId) => share(viewerId, userId)).map((userId) => ({ userId })),
    visible_pairs: ({ viewerIds, userIds }: { viewerIds: string[]; userIds: string[] }) =>
      viewerIds.flatMap((viewer) => userIds.filter((id) => share(viewer, id)).map((watched) => ({ viewer, watched }))),
    push_chats: ({ userIds }: { userIds: string[] }) =>
      userIds
        .map((userId) => ({ userId, chatIds: chatsOf(userId).map(({ id }) => id) }))
        .filter(({ chatIds }) => chatIds.length > 0),
  }
}
