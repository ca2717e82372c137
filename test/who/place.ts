import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { FOR_GOOD } from '../../contract/limits.js'
import type { ChatType } from '../../contract/shapes.js'
import type { Service } from '../helper.js'
import { attach } from '../helpers/uploads.js'
import { ACTORS, type Actor, type Place } from './matrix.js'

/** Whose name an actor calls in; services that name nobody, and nobody, are for `member` what it is about. */
export const USER_OF: Record<Actor, string> = {
  owner: 'owner',
  admin: 'admin',
  member: 'member',
  muted: 'muted',
  left: 'left',
  removed: 'removed',
  banned: 'banned',
  stranger: 'stranger',
  'no such chat': 'member',
  'one of two': 'one',
  blocked: 'blocked',
  blocker: 'blocker',
  service: 'member',
  'for a member': 'member',
  'for a muted': 'muted',
  'for a blocked': 'blocked',
  'for a stranger': 'stranger',
  anonymous: 'member',
  'this machine': 'member',
}

const INSIDE = ['owner', 'owner-2', 'admin', 'admin-2', 'member', 'muted', 'other']
const OUTSIDE = ['left', 'removed', 'banned']
const PAIRS = [
  ['one', 'two'],
  ['blocked', 'blocker'],
] as const
export const PEOPLE = [...INSIDE, ...OUTSIDE, ...PAIRS.flat(), 'stranger', 'hermit']

/** One group, two direct chats, messages in them that nobody has touched, and where each actor stands to them. */
export interface Ground {
  group: string
  placeOf(actor: Actor): Place
}

/** The messages that each of the direct chats' people wrote before one blocked the other: a ground takes one of each. */
const STOCK = 400

/** What all grounds share: direct chats, for there is one of two, and one user who blocks the others. */
export async function makeGrounds(service: Service) {
  const { app, token } = service
  const { log, users } = app.chat
  const make = async (type: ChatType, owner: string, founders: string[]) =>
    (await log.createChat({ type, owner, founders: [owner, ...founders] })).chatId
  const write = (chatId: string, senders: readonly string[]) =>
    Promise.all(
      senders.map(async (senderId) => {
        const { message } = await log.append({
          chatId,
          senderId,
          content: 'findable',
          mentions: { userIds: [...senders] },
        })
        return [senderId, message.id] as const
      }),
    )
  const directs = new Map<string, string>()
  const stock: (readonly [string, string])[][] = Array.from({ length: STOCK }, () => [])
  for (const pair of PAIRS) {
    const chatId = await make('direct', pair[0], [pair[1]])
    for (const userId of pair) directs.set(userId, chatId)
    await Promise.all(stock.map(async (ofGround) => void ofGround.push(...(await write(chatId, pair)))))
  }
  await log.setBlock('blocker', 'blocked', true)
  for (const userId of PEOPLE) if (userId !== 'hermit') await log.setBlock('hermit', userId, true)

  return {
    direct: directs.get('one') ?? '',

    /** Makes the ground of a row of the matrix. */
    async next(): Promise<Ground> {
      const group = await make('group', 'owner', [...INSIDE.slice(1), ...OUTSIDE])
      const messages = new Map([...(stock.pop() ?? []), ...(await write(group, [...INSIDE, ...OUTSIDE]))])
      await log.setRole(null, { chatId: group, userId: 'owner-2', role: 'owner' })
      for (const userId of ['admin', 'admin-2']) await log.setRole(null, { chatId: group, userId, role: 'admin' })
      const attachments = new Map<string, string>()
      // Blocked, the two of a direct chat upload nothing more: theirs are put there.
      for (const sender of ['other', ...PAIRS.flat()]) {
        const chatId = directs.get(sender) ?? group
        attachments.set(sender, await attach(service, { chatId, messageId: messages.get(sender) ?? '', sender }))
      }
      await log.mute(group, null, 'muted', FOR_GOOD)
      await log.removeMember(group, 'left', 'left')
      await log.removeMember(group, null, 'removed')
      await log.ban(group, null, 'banned')
      const newcomers = new Map(ACTORS.map((actor) => [actor, `${actor.replaceAll(' ', '-')}-${group}`]))
      await users.ensure([...newcomers.values()].map((userId) => ({ userId, name: userId, avatarUrl: null })))
      const newcomerOf = (actor: Actor) => newcomers.get(actor) ?? ''
      return { group, placeOf: (actor) => toPlace(actor, { group, directs, messages, attachments, newcomerOf, token }) }
    },
  }
}

interface Things {
  group: string
  directs: Map<string, string>
  messages: Map<string, string>
  attachments: Map<string, string>
  newcomerOf(actor: Actor): string
  token: Service['token']
}

function toPlace(actor: Actor, { group, directs, messages, attachments, newcomerOf, token }: Things): Place {
  const self = USER_OF[actor]
  const common = { self, newcomer: newcomerOf(actor), hermit: 'hermit', token: token(self), stranger: 'stranger' }
  if (actor === 'no such chat') {
    const nobody = { other: 'nobody', admin: 'nobody', owner: 'nobody', banned: 'nobody' }
    return {
      ...common,
      ...nobody,
      chatId: randomUUID(),
      own: randomUUID(),
      theirs: randomUUID(),
      attachment: randomUUID(),
    }
  }
  const other = PAIRS.flatMap(([a, b]) => (a === self ? [b] : b === self ? [a] : []))[0]
  const own = (actor !== 'service' && messages.get(self)) || randomUUID()
  const theirs = messages.get(other ?? 'other') ?? ''
  const attachment = attachments.get(other ?? 'other') ?? ''
  return other
    ? {
        ...common,
        other,
        admin: other,
        owner: other,
        banned: 'stranger',
        chatId: directs.get(self) ?? '',
        own,
        theirs,
        attachment,
      }
    : {
        ...common,
        other: 'other',
        admin: 'admin-2',
        owner: 'owner-2',
        banned: 'banned',
        chatId: group,
        own,
        theirs,
        attachment,
      }
}

const TABLES: Record<string, string> = {
  chats: 'id',
  members: 'chat_id, user_id',
  chat_settings: 'user_id, chat_id',
  messages: 'id',
  reactions: 'message_id, emoji, user_id',
  mentions: 'chat_id, user_id, seq',
  uploads: 'id',
  pins: 'chat_id, pinned_at, message_id',
  chat_log: 'chat_id, revision',
  bans: 'chat_id, user_id',
  blocks: 'user_id, blocked_user_id',
  reports: 'id',
  users: 'id',
  user_states: 'user_id',
}

/** Dropped uploads are forgotten when their bytes have gone, by nobody's command. */
const ONLY: Record<string, string> = { uploads: 'WHERE dropped_at IS NULL' }

/** All that the database holds, as a digest of each table. */
export async function digest(db: Pick<pg.Pool, 'query'>): Promise<Record<string, string>> {
  const columns = Object.entries(TABLES).map(
    ([table, key]) =>
      `(SELECT md5(coalesce(string_agg(x::text, chr(10) ORDER BY ${key}), '')) FROM ${table} x ${ONLY[table] ?? ''}) AS ${table}`,
  )
  const { rows } = await db.query(`SELECT ${columns.join(', ')}`)
  return rows[0]
}
