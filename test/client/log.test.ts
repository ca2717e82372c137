import t from 'tap'
import { createChats } from '../../client/src/chats.js'
import type { Command } from '../../client/src/command.js'
import { ChatClientError } from '../../client/src/errors.js'
import { createLog, type RoomLog } from '../../client/src/log.js'
import type { Change, Input, Message, MyChat, Output } from '../../client/src/wire.js'
import { until } from '../helper.js'

// The one reducer by itself: what it is told, what it asks, what it takes in.

const chat = (revision: number, more: Partial<MyChat> = {}): MyChat => ({
  chatId: 'c',
  type: 'group',
  title: null,
  metadata: null,
  memberCount: 2,
  createdAt: '2026-01-01T00:00:00.000Z',
  revision,
  firstSeq: 1,
  lastSeq: 0,
  lastMessage: null,
  historyVisibility: 'all',
  slowModeSeconds: 0,
  isFrozen: false,
  myRole: 'member',
  lastReadSeq: 0,
  unreadCount: 0,
  unreadCapped: false,
  unreadMentions: 0,
  others: [{ user: { userId: 'bob', name: 'Bob', avatarUrl: null }, lastReadSeq: 0 }],
  settings: { mutedUntil: null, isPinned: false, isArchived: false, isHidden: true, isMarkedUnread: false },
  ...more,
})

const message = (seq: number, revision: number, more: Partial<Message> = {}): Message => ({
  id: `m${seq}`,
  chatId: 'c',
  seq,
  revision,
  sender: { userId: 'bob', name: 'Bob', avatarUrl: null },
  clientMessageId: null,
  content: `line ${seq}`,
  replyToId: null,
  replyToSeq: null,
  mentions: { userIds: [], everyone: false },
  attachments: [],
  metadata: null,
  reactions: [],
  pinnedAt: null,
  createdAt: `2026-01-01T00:00:${String(seq).padStart(2, '0')}.000Z`,
  editedAt: null,
  deletedAt: null,
  ...more,
})

const change = (revision: number, seq: number, more: Partial<Message> = {}): Change => ({
  chatId: 'c',
  revision,
  type: seq === 0 ? 'chat_updated' : 'message_created',
  actorId: null,
  message: message(seq, revision, more),
})

type Sync = Output<'sync'>['chats'][string]

const shown = { mutedUntil: null, isPinned: false, isArchived: false, isHidden: false, isMarkedUnread: false }

/** A log of one chat at revision 1, whose server answers what a test says. */
function open(answers: { sync?: Sync[]; mine?: MyChat; chats?: (MyChat | null)[]; room?: RoomLog } = {}) {
  const chats = createChats()
  chats.put(answers.mine ?? chat(1))
  const asked: [name: string, revision?: number | undefined][] = []
  let meanwhile: (() => void) | undefined
  const gone: string[] = []
  async function answer(name: string, input: unknown): Promise<unknown> {
    if (name === 'sync') {
      asked.push([name, (input as Input<'sync'>).chats.c])
      return { chats: { c: answers.sync?.shift() } }
    }
    asked.push([name])
    meanwhile?.()
    meanwhile = undefined
    const found = answers.chats?.shift()
    if (!found) throw new ChatClientError({ code: 'NOT_FOUND', message: '', retryable: false })
    return { chat: found }
  }
  let risen = 0
  let isIn = true
  const log = createLog({
    // The answers above are the types that the commands have.
    command: answer as Command,
    chats,
    isIn: () => isIn,
    myId: () => 'alice',
    roomOf: () => answers.room,
    gone(chatId) {
      gone.push(chatId)
      chats.drop(chatId)
    },
    overlay: (mine) => mine,
    caughtUp: () => (risen += 1),
  })
  /** Lets something come before the next answer to `get_chat`. */
  const before = (happen: (chats: ReturnType<typeof createChats>) => void) => (meanwhile = () => happen(chats))
  const cut = () => (isIn = false)
  return { log, asked, gone, before, cut, risen: () => risen, mine: () => chats.byId.get('c') }
}

t.test('the next change is applied, what is known is dropped', async (t) => {
  const { log, asked, mine } = open()
  log.hear(change(2, 1))
  t.match(mine(), { revision: 2, lastSeq: 1, unreadCount: 1, lastMessage: { id: 'm1' }, settings: { isHidden: false } })
  t.match(mine(), { others: [{ lastReadSeq: 1 }] }, 'who writes has read')
  const known = mine()
  log.hear(change(2, 1))
  log.hear(change(1, 1))
  t.equal(mine(), known)
  log.hear({ ...change(9, 9), chatId: 'elsewhere' })
  t.same(asked, [])
})

t.test('what changes of messages say of their chat, and what they leave open', async (t) => {
  const { log, asked, mine } = open({ mine: chat(1, { settings: shown }), chats: [chat(10, { lastSeq: 4 })] })
  const everyone = { mentions: { userIds: [], everyone: true } }
  log.hear(change(2, 1))
  log.hear(change(3, 2))
  log.hear({ ...change(4, 1, { editedAt: 'now' }), type: 'message_updated' })
  t.match(mine(), { lastMessage: { id: 'm2' } }, 'an older one is not the last')
  log.hear({ ...change(5, 2, { editedAt: 'now', content: 'edited' }), type: 'message_updated' })
  t.match(mine(), { lastMessage: { id: 'm2', content: 'edited' } })
  log.hear(change(6, 3, everyone))
  t.match(mine(), { unreadCount: 3, unreadMentions: 1 }, 'everyone is oneself, too')
  const reactions = [{ emoji: '👍', count: 1, userIds: ['bob'] }]
  log.hear({ ...change(7, 3, { ...everyone, reactions }), type: 'message_updated' })
  log.hear({ ...change(8, 3, { ...everyone, editedAt: 'now' }), type: 'message_updated' })
  log.hear(change(9, 4, { deletedAt: 'now', content: null }))
  t.match(mine(), { lastSeq: 4, unreadCount: 3 }, 'nobody reads what is deleted')
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.same(asked, [], 'of none of this anything is left open')
  log.hear({ ...change(10, 3, { editedAt: 'later' }), type: 'message_updated' })
  await until('who is named no longer is asked about', () => asked.length === 1)
})

t.test('of a hole the server is asked, page after page, from where the last one ended', async (t) => {
  const { log, asked, mine, risen } = open({
    sync: [
      // The first message was edited at 4: it stands there, behind the second.
      {
        changes: [change(3, 2), { ...change(4, 1, { editedAt: 'now' }), type: 'message_updated' }],
        through: 4,
        head: 6,
        more: true,
      },
      {
        changes: [
          change(5, 4, { mentions: { userIds: ['alice'], everyone: false } }),
          { ...change(6, 3), type: 'message_updated' },
        ],
        through: 6,
        head: 6,
        more: false,
      },
    ],
  })
  log.hear(change(6, 4))
  t.equal(mine()?.revision, 1, 'nothing is taken in before what is below it')
  await until('all of it', () => risen() > 0)
  t.same(asked, [
    ['sync', 1],
    ['sync', 4],
  ])
  t.match(mine(), { revision: 6, lastSeq: 4, unreadCount: 4, unreadMentions: 1, lastMessage: { id: 'm4' } })
})

t.test('of two holes at once one question is on its way', async (t) => {
  const { log, asked, mine } = open({ sync: [{ changes: [change(9, 2)], through: 9, head: 9, more: false }] })
  log.hear(change(5, 1))
  log.hear(change(9, 2))
  await until('all of it', () => mine()?.revision === 9)
  await new Promise(setImmediate)
  t.same(asked, [['sync', 1]])
})

t.test('what was never there is not asked for again and again', async (t) => {
  const { log, asked, mine, risen } = open({ sync: [{ changes: [], through: 1, head: 1, more: false }] })
  log.hear(change(1_000, 9))
  await until('an answer', () => risen() > 0)
  t.same(asked, [['sync', 1]])
  t.equal(mine()?.revision, 1)
})

t.test('reset: the chat is read anew; gone: it leaves', async (t) => {
  const reset = open({ sync: [{ reset: true, head: 7 }], chats: [chat(7, { lastSeq: 5, title: 'new' })] })
  reset.log.hear(change(7, 5))
  await until('the chat', () => reset.mine()?.revision === 7)
  t.same(reset.asked, [['sync', 1], ['get_chat']])
  t.match(reset.mine(), { title: 'new', lastSeq: 5 })
  t.same(reset.gone, [])

  const gone = open({ sync: [{ gone: true }] })
  gone.log.hear(change(7, 5))
  await until('it is gone', () => gone.gone.length > 0)
  t.equal(gone.mine(), undefined)
  gone.log.hear(change(8, 6))
  t.same(gone.asked, [['sync', 1]], 'and nothing is asked of it any more')
})

t.test('what a change does not say is asked for, and what is older than the state is not taken', async (t) => {
  const member = {
    chatId: 'c',
    user: { userId: 'carol', name: 'Carol', avatarUrl: null },
    role: 'member' as const,
    mutedUntil: null,
    joinedAt: '',
    removed: false,
  }
  const { log, asked, mine } = open({ chats: [chat(1, { title: 'old' }), chat(2, { memberCount: 3 })] })
  log.hear({ chatId: 'c', revision: 2, type: 'member_changed', member })
  await until('three of them', () => mine()?.memberCount === 3)
  t.same(asked, [['get_chat'], ['get_chat']])
  t.equal(mine()?.title, null)
})

t.test('how much is unread is asked for when an unread message is deleted, and for nothing less', async (t) => {
  const { log, asked, mine } = open({
    mine: chat(1, { settings: shown }),
    chats: [chat(5, { lastSeq: 2, unreadCount: 1 })],
  })
  log.hear(change(2, 1))
  log.hear(change(3, 2))
  log.hear({ ...change(4, 2, { reactions: [{ emoji: '👍', count: 1, userIds: ['bob'] }] }), type: 'message_updated' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.same(asked, [])
  log.hear({ ...change(5, 1, { content: null, deletedAt: '2026-01-01T00:01:00.000Z' }), type: 'message_deleted' })
  await until('the server said', () => mine()?.unreadCount === 1)
  t.same(asked, [['get_chat']])
})

t.test('what is read, or one’s own, was not unread when it is deleted', async (t) => {
  const { log, asked } = open({
    mine: chat(1, { settings: shown, lastSeq: 3, lastReadSeq: 1, unreadCount: 1 }),
    chats: [chat(4, { lastSeq: 3 })],
  })
  const deleted = { content: null, deletedAt: '2026-01-01T00:01:00.000Z' }
  const own = { sender: { userId: 'alice', name: 'Alice', avatarUrl: null } }
  log.hear({ ...change(2, 1, deleted), type: 'message_deleted' })
  log.hear({ ...change(3, 3, { ...deleted, ...own }), type: 'message_deleted' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.same(asked, [])
  log.hear({ ...change(4, 2, deleted), type: 'message_deleted' })
  await until('that one was', () => asked.length === 1)
})

/** A room whose messages are all here, at the revision of its chat. */
function roomOf(messages: Message[]) {
  let revision = 1
  let reloads = 0
  const room: RoomLog = {
    revision: () => revision,
    advance: (_changes, through) => (revision = through),
    from: (seq) => messages.filter((one) => one.seq >= seq),
    async reload() {
      reloads += 1
    },
  }
  return { room, reloads: () => reloads }
}

t.test('how much is unread is counted here where all of it is at hand', async (t) => {
  const deleted = message(1, 4, { content: null, deletedAt: '2026-01-01T00:01:00.000Z' })
  const { room, reloads } = roomOf([deleted, message(2, 3)])
  const { log, asked, mine } = open({ room, mine: chat(1, { settings: shown }) })
  log.hear(change(2, 1))
  log.hear(change(3, 2))
  log.hear({ chatId: 'c', revision: 4, type: 'message_deleted', message: deleted })
  t.match(mine(), { unreadCount: 1, revision: 4 })
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.same(asked, [])
  t.equal(reloads(), 0)
})

t.test('how much is unread is asked for where the room is further on than its chat', async (t) => {
  const named = message(1, 1, { mentions: { userIds: ['alice'], everyone: false } })
  const edited = message(1, 2, { editedAt: '2026-01-01T00:01:00.000Z' })
  const { room } = roomOf([edited, message(2, 3)])
  const mine = chat(1, { settings: shown, lastSeq: 1, lastMessage: named, unreadCount: 1, unreadMentions: 1 })
  const { log, asked, ...rest } = open({ room, mine, chats: [chat(3, { lastSeq: 2, unreadCount: 2 })] })
  log.hear({ chatId: 'c', revision: 2, type: 'message_updated', message: edited })
  await until('the server said', () => rest.mine()?.unreadCount === 2)
  t.same(asked, [['get_chat']])
  t.equal(rest.mine()?.unreadMentions, 0)
})

t.test('a room is read anew where another part of its past is to be seen', async (t) => {
  const { room, reloads } = roomOf([])
  const { log, asked, mine } = open({ room, chats: [chat(2, { historyVisibility: 'joined', firstSeq: 7 })] })
  const rules = { title: null, metadata: null, slowModeSeconds: 0, isFrozen: false }
  log.hear({ chatId: 'c', revision: 2, type: 'chat_updated', chat: { ...rules, historyVisibility: 'joined' } })
  t.equal(reloads(), 1)
  await until('the chat, too', () => mine()?.firstSeq === 7)
  t.same(asked, [['get_chat']])

  const other = roomOf([])
  const same = open({ room: other.room })
  same.log.hear({ chatId: 'c', revision: 2, type: 'chat_updated', chat: { ...rules, historyVisibility: 'all' } })
  t.equal(other.reloads(), 0)
})

t.test('a chat that is gone before its answer stays gone', async (t) => {
  const { log, asked, before, mine } = open({ chats: [chat(3)] })
  before((chats) => chats.drop('c'))
  log.doubt('c')
  await until('an answer', () => asked.length === 1)
  await new Promise(setImmediate)
  t.equal(mine(), undefined)
})

t.test('what a mark changed while its chat was read is asked for again, and only then', async (t) => {
  const { log, asked, before } = open({ chats: [chat(1), chat(1)] })
  log.touch('c')
  before(() => log.touch('c'))
  log.doubt('c')
  await until('asked once more', () => asked.length === 2)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.same(asked, [['get_chat'], ['get_chat']])
})

t.test('who is told that they are in no chat any more is out of it', async (t) => {
  const { log, gone, mine } = open({ chats: [null] })
  log.doubt('c')
  await until('it is gone', () => gone.length > 0)
  t.same(gone, ['c'])
  t.equal(mine(), undefined)
})

t.test('a message takes off flags; whether they were set after it, the server says', async (t) => {
  const hidden = { ...chat(2, { lastSeq: 1, unreadCount: 1 }), title: 'asked' }
  const { log, asked, mine } = open({ chats: [hidden] })
  log.hear(change(2, 1))
  t.match(mine(), { settings: { isHidden: false } })
  await until('the server said', () => mine()?.title === 'asked')
  t.match(mine(), { settings: { isHidden: true } })
  log.hear(change(3, 2))
  t.match(mine(), { settings: { isHidden: false } })
  await until('again', () => asked.length === 2)
})

t.test('who is cut off while it catches up is not caught up', async (t) => {
  const { log, asked, cut, risen } = open({ sync: [{ changes: [change(2, 1)], through: 2, head: 3, more: true }] })
  log.hear(change(3, 2))
  cut()
  await until('an answer', () => asked.length === 1)
  await new Promise(setImmediate)
  t.equal(risen(), 0)
})

t.test('who is in again before the answer that they are out stays', async (t) => {
  const { log, asked, gone, before, mine } = open({ chats: [null, chat(3, { title: 'again' })] })
  before((chats) => chats.put(chat(3)))
  log.doubt('c')
  await until('it is asked for once more', () => mine()?.title === 'again')
  t.same(asked, [['get_chat'], ['get_chat']])
  t.same(gone, [])
})

t.test('of messages that expired unheard nobody knows whose they were: the server is asked', async (t) => {
  const { log, asked, mine } = open({
    sync: [
      { changes: [{ ...change(3, 0), type: 'messages_expired', throughSeq: 2 }], through: 3, head: 3, more: false },
    ],
    chats: [chat(3, { firstSeq: 3, lastSeq: 2, lastReadSeq: 2 })],
  })
  log.hear({ chatId: 'c', revision: 3, type: 'messages_expired', throughSeq: 2 })
  await until('the mark', () => mine()?.lastReadSeq === 2)
  t.same(asked, [['sync', 1], ['get_chat']])
  t.match(mine(), { lastSeq: 2, firstSeq: 3 })
})

t.test('unread, expired, read', async (t) => {
  const { log, mine } = open()
  for (let seq = 1; seq <= 102; seq += 1) log.hear(change(seq + 1, seq))
  t.match(mine(), { unreadCount: 100, unreadCapped: true })
  log.hear({ chatId: 'c', revision: 104, type: 'messages_expired', throughSeq: 102 })
  t.match(mine(), { unreadCount: 0, unreadCapped: false, firstSeq: 103, lastMessage: null })
  log.hear(change(105, 103))
  log.hear(change(106, 104, { sender: { userId: 'alice', name: 'Alice', avatarUrl: null } }))
  t.match(mine(), { unreadCount: 0, lastReadSeq: 104 }, 'who writes has read')
})
