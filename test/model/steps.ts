import fc from 'fast-check'
import type { CommandName } from '../../contract/commands.js'
import { byId, lineOf, same, toLine, toMine, toView, viewOf } from './compare.js'
import { type ModelBody, ModelChat, type ModelEdit, type ModelMessage, type Outcome, plainSettings } from './model.js'
import type { Answer, ChatPlan, World } from './world.js'

export const PEOPLE = 4
/** A group that shows all, one that shows what was since the joining, and a direct chat. */
export const CHATS: readonly ChatPlan[] = [
  { type: 'group', historyVisibility: 'all', founders: [0, 1, 2] },
  { type: 'group', historyVisibility: 'joined', founders: [1, 0, 3] },
  { type: 'direct', historyVisibility: 'all', founders: [0, 1] },
]
const BODIES = ['hello', 'another body']
const EMOJI = ['👍', '🎉']
const LIMITS = [1, 3, 500]

const KINDS = {
  connect: 2,
  disconnect: 1,
  send: 8,
  behalf: 2,
  reply: 2,
  mention: 4,
  bare: 2,
  edit: 3,
  meta: 2,
  remention: 2,
  pin: 3,
  unpin: 1,
  pins: 2,
  delete: 1,
  react: 3,
  unreact: 2,
  sync: 3,
  mark: 4,
  add: 2,
  addSelf: 1,
  remove: 1,
  leave: 1,
  promote: 1,
  mute: 2,
  ban: 1,
  unban: 2,
  freeze: 1,
  set: 3,
  marks: 1,
  expire: 1,
} as const
type Kind = keyof typeof KINDS

/** One step, in numbers that the state of the moment turns into a command. */
export interface Op {
  kind: Kind
  user: number
  chat: number
  door: 'socket' | 'rest'
  /** Which device, message or revision. */
  pick: number
  /** Which key; the last is none. */
  key: number
  body: number
  other: number
}

const KEYS = 3

/** Any step of a user. */
export const anyOp: fc.Arbitrary<Op> = fc.record({
  kind: fc.oneof(...Object.entries(KINDS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) }))),
  user: fc.nat(PEOPLE - 1),
  chat: fc.nat(CHATS.length - 1),
  door: fc.constantFrom('socket', 'rest'),
  pick: fc.nat(30),
  key: fc.nat(KEYS),
  body: fc.nat(BODIES.length - 1),
  other: fc.nat(PEOPLE - 1),
})

/** What a step sends; some of those whom it names are in the chat. */
function bodyOf(op: Op, users: string[]): ModelBody {
  const content = BODIES[op.body] as string
  if (op.kind === 'bare') return { metadata: { content } }
  if (op.kind !== 'mention') return { content }
  const userIds = [op.other, (op.other + op.pick) % PEOPLE].map((user) => users[user] as string)
  return { content, mentions: { userIds, everyone: op.pick % 3 === 0 } }
}

// Most within the log of a short run, some ahead of it.
const revisionOf = ({ pick }: Op) => pick % 16
/** Off more often than on, or nobody would write any more. */
const isOn = ({ key }: Op) => key === 0
const FIELDS = ['isPinned', 'isArchived', 'isHidden', 'isMarkedUnread'] as const
const LATER = '2100-01-01T00:00:00.000Z'
/** Own settings: one or two of them. */
const settingsOf = ({ other, body, key }: Op) => ({
  [FIELDS[other % FIELDS.length] as string]: body === 1,
  ...(key === 0 && { mutedUntil: body === 1 ? LATER : null }),
})
const seqOf = ({ pick }: Op) => pick % 8

/** The command that a step is, for a message where it needs one. */
export function toCommand(op: Op, world: World, message?: { id: string }) {
  const chatId = world.chatIds[op.chat] as string
  const userId = world.users[op.user] as string
  const other = world.users[op.other] as string
  const content = BODIES[op.body] as string
  const messageId = message?.id
  const emoji = EMOJI[op.body] as string
  const key = op.key < KEYS && { clientMessageId: `k${op.key}` }
  const as = (command: CommandName, input: Record<string, unknown>, who: string | null = userId) => ({
    command,
    input,
    who,
    door: op.kind === 'behalf' ? ('behalf' as const) : op.door,
  })
  switch (op.kind) {
    case 'send':
    case 'behalf':
    case 'mention':
    case 'bare':
      return as('send_message', { chatId, ...bodyOf(op, world.users), ...key })
    case 'reply':
      return as('send_message', { chatId, content, ...key, replyToId: messageId })
    case 'edit':
    case 'meta':
    case 'remention':
      return as('edit_message', { messageId, ...editOf(op, world) })
    case 'pin':
      return as('pin_message', { messageId })
    case 'unpin':
      return as('unpin_message', { messageId })
    case 'pins':
      return as('list_pins', { chatId })
    case 'delete':
      return as('delete_message', { messageId })
    case 'react':
      return as('add_reaction', { messageId, emoji })
    case 'unreact':
      return as('remove_reaction', { messageId, emoji })
    case 'sync':
      return as('sync', { chats: { [chatId]: revisionOf(op) }, limit: LIMITS[op.other % LIMITS.length] })
    case 'mark':
      return as('mark_as_read', { chatId, upToSeq: seqOf(op) })
    case 'set':
      return as('set_chat_settings', { chatId, ...settingsOf(op) })
    case 'marks':
      return as('get_read_marks', { chatId })
    case 'add':
      return as('add_members', { chatId, userIds: [other] }, op.body ? userId : null)
    case 'addSelf':
      return as('add_members', { chatId, userIds: [userId] })
    case 'remove':
      return as('remove_member', { chatId, userId: other }, op.body ? userId : null)
    case 'leave':
      return as('leave_chat', { chatId })
    case 'mute':
      return as('mute_member', { chatId, userId: other, ...(!isOn(op) && { until: null }) }, op.body ? userId : null)
    case 'ban':
      return as('ban_member', { chatId, userId: other }, op.body ? userId : null)
    case 'unban':
      return as('unban_member', { chatId, userId: other }, op.body ? userId : null)
    case 'freeze':
      return as('update_chat', { chatId, isFrozen: isOn(op) }, op.body ? userId : null)
    case 'promote':
      return as('set_member_role', { chatId, userId: other, role: op.key % 2 ? 'admin' : 'owner' })
    default:
      throw new Error(`${op.kind} is no command`)
  }
}

/** What an edit puts in the place of what there was. */
function editOf({ kind, key, body, other }: Op, { users }: World): ModelEdit {
  if (kind === 'meta') return { metadata: key === 0 ? null : { n: body } }
  if (kind === 'edit') return { content: BODIES[body] as string }
  const userIds = [other, other + 1, other].map((user) => users[user % PEOPLE] as string)
  return { mentions: { userIds: body ? userIds : [], everyone: key === 0 } }
}

export const ofMessage = new Set<Kind>([
  'reply',
  'edit',
  'meta',
  'remention',
  'pin',
  'unpin',
  'delete',
  'react',
  'unreact',
])

/** The chats of a world, as they should be. */
export class Model {
  readonly chats: ModelChat[]

  constructor(world: World) {
    this.chats = CHATS.map(({ type, historyVisibility, founders }, i) => {
      const users = founders.map((user) => world.users[user] as string)
      return new ModelChat(world.chatIds[i] as string, type, historyVisibility, users)
    })
  }

  /** Where every user's chats stand. */
  heads(users: string[]): Map<string, Map<string, number>> {
    const mine = (userId: string) => this.chats.filter(({ members }) => members.has(userId))
    return new Map(
      users.map((userId) => [userId, new Map(mine(userId).map(({ chatId, revision }) => [chatId, revision]))]),
    )
  }

  /** The newest first; ids are in the order of their making. */
  mentionsOf(userId: string): ModelMessage[] {
    const all = this.chats.flatMap((chat) => chat.mentionsOf(userId))
    return all.sort((a, b) => (a.id < b.id ? 1 : -1))
  }

  /** What is unread in all chats that are neither muted nor archived nor hidden. */
  unread(userId: string) {
    const counted = this.myChats(userId).filter(
      ({ settings }) => !settings.isArchived && !settings.isHidden && settings.mutedUntil === null,
    )
    return {
      chats: counted.filter(({ unreadCount, settings }) => unreadCount > 0 || settings.isMarkedUnread).length,
      messages: counted.reduce((sum, { unreadCount }) => sum + unreadCount, 0),
    }
  }

  myChats(userId: string) {
    return this.chats
      .filter(({ members }) => members.has(userId))
      .map((chat) => ({
        chatId: chat.chatId,
        revision: chat.revision,
        firstSeq: chat.firstSeq,
        lastSeq: chat.lastSeq,
        memberCount: chat.members.size,
        myRole: chat.members.get(userId)?.role,
        lastReadSeq: chat.members.get(userId)?.lastReadSeq,
        unreadCount: chat.unread(userId),
        settings: chat.members.get(userId)?.settings ?? plainSettings(),
        others: chat.others(userId),
      }))
  }
}

/** A step of the sequential model: what the service answers is what the model does. */
export class Step implements fc.AsyncCommand<Model, World, true> {
  readonly op: Op

  constructor(op: Op) {
    this.op = op
  }

  async check(): Promise<boolean> {
    return true
  }

  async run(model: Model, world: World): Promise<void> {
    const { op } = this
    const chat = model.chats[op.chat] as ModelChat
    const userId = world.users[op.user] as string
    if (op.kind === 'connect') {
      if (world.devicesOf(userId).length >= 2) return
      const { chats, unread } = await world.connect(userId)
      const totals = model.unread(userId)
      same(`what ${userId} has not read`, { chats: unread.chats, messages: unread.messages }, totals)
      same(`session of ${userId}`, byId(chats.map(toMine)), byId(model.myChats(userId)))
      return
    }
    if (op.kind === 'disconnect') {
      const device = world.devicesOf(userId)[0]
      if (device) world.disconnect(device)
      return
    }
    if (op.kind === 'expire') {
      chat.expire(seqOf(op))
      await world.expire(chat.chatId, seqOf(op))
      return
    }
    // A reply may be tried to any chat's message.
    const from = op.kind === 'reply' && op.other === 0 ? (model.chats[op.pick % CHATS.length] as ModelChat) : chat
    const message = from.messages[op.pick % Math.max(from.messages.length, 1)]
    if (ofMessage.has(op.kind) && !message) return
    const { command, input, who, door } = toCommand(op, world, message)
    const answer = await world.call(command, input, who, door, op.pick)
    same(this.toString(), outcomeOf(answer, op), expected(op, chat, userId, who, world, message, answer))
  }

  toString(): string {
    return Object.values(this.op).join(' ')
  }
}

/** What the model does, in the form of `outcomeOf`. */
function expected(
  op: Op,
  chat: ModelChat,
  userId: string,
  who: string | null,
  world: World,
  message: ModelMessage | undefined,
  answer: Answer,
): unknown {
  const emoji = EMOJI[op.body] as string
  const other = world.users[op.other] as string
  const target = message as ModelMessage
  const tell = <T>(outcome: Outcome<T>, view: (value: T) => unknown) =>
    outcome.ok ? { ok: true, data: view(outcome.value) } : outcome
  const toChat = () => ({ revision: chat.revision, lastSeq: chat.lastSeq, memberCount: chat.members.size })
  switch (op.kind) {
    case 'send':
    case 'behalf':
    case 'mention':
    case 'bare':
    case 'reply':
      return tell(
        chat.send(
          userId,
          bodyOf(op, world.users),
          op.key < KEYS ? `k${op.key}` : null,
          op.kind === 'reply' ? target : undefined,
          op.kind === 'behalf',
        ),
        ({ message, duplicate }) => {
          // The id is the server's to choose.
          if (!duplicate && answer.ok) message.id = answer.data.message.id
          return { ...toView(message), duplicate }
        },
      )
    case 'edit':
    case 'meta':
    case 'remention':
      return tell(chat.edit(userId, target, editOf(op, world)), toView)
    case 'pin':
    case 'unpin':
      return tell(chat.pin(userId, target, op.kind === 'pin'), toView)
    case 'pins':
      return tell(chat.pinned(userId), (pinned) => pinned.map((one) => toView(one)))
    case 'delete':
      return tell(chat.delete(userId, target), toView)
    case 'react':
    case 'unreact':
      return tell(chat.react(userId, target, emoji, op.kind === 'react'), toView)
    case 'sync': {
      const page = chat.sync(userId, revisionOf(op), LIMITS[op.other % LIMITS.length] as number)
      if (page === 'gone') return { ok: true, data: { gone: true } }
      if (page === 'reset') return { ok: true, data: { reset: true, head: chat.revision } }
      const { through, lines } = page
      const head = chat.revision
      return { ok: true, data: { changes: lines.map(toLine), through, head, more: through < head } }
    }
    case 'mark':
      return tell(chat.markUpTo(userId, seqOf(op)), (mark) => mark)
    case 'set':
      return tell(chat.set(userId, settingsOf(op)), (settings) => ({ settings }))
    case 'marks':
      return tell(chat.readMarks(userId), (marks) => ({ marks }))
    case 'add':
      return tell(chat.add(who, [other]), toChat)
    case 'addSelf':
      return tell(chat.add(userId, [userId]), toChat)
    case 'remove':
      return tell(chat.remove(who, other), toChat)
    case 'mute':
      return tell(chat.mute(who, other, isOn(op)), toChat)
    case 'ban':
      return tell(chat.ban(who, other), toChat)
    case 'unban':
      return tell(chat.unban(who, other), toChat)
    case 'freeze':
      return tell(chat.freeze(who, isOn(op)), toChat)
    case 'leave':
      return tell(chat.members.has(userId) ? chat.remove(userId, userId) : { ok: false, code: 'NOT_FOUND' }, toChat)
    default:
      return tell(chat.setRole(userId, other, op.key % 2 ? 'admin' : 'owner'), toChat)
  }
}

/** An answer, as far as the model knows. */
function outcomeOf(answer: Answer, op: Op): unknown {
  if (!answer.ok) return answer
  const { data } = answer
  if ('duplicate' in data) return { ok: true, data: { ...viewOf(data.message), duplicate: data.duplicate } }
  if ('messages' in data) return { ok: true, data: data.messages.map(viewOf) }
  if ('message' in data) return { ok: true, data: viewOf(data.message) }
  if ('settings' in data || 'marks' in data) return { ok: true, data }
  if ('chat' in data) {
    const { revision, lastSeq, memberCount } = data.chat
    return { ok: true, data: { revision, lastSeq, memberCount } }
  }
  const [chat] = Object.values(data.chats) as never[] as Record<string, never>[]
  if (op.kind === 'mark') return { ok: true, data: { lastReadSeq: chat?.lastReadSeq, unreadCount: chat?.unreadCount } }
  return {
    ok: true,
    data: chat && 'changes' in chat ? { ...chat, changes: (chat.changes as never[]).map(lineOf) } : chat,
  }
}
