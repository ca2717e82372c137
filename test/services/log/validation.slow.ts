import { COMMAND_NAMES, COMMANDS, type CommandName } from '../../../contract/commands.js'
import type { Fault } from '../../../contract/errors.js'
import { build, type ClientSocket, connect, must, onEachDatabase, type Service } from '../../helper.js'
import { type Answer, overRest, overSocket, restOf } from '../../helpers/doors.js'

type Inputs = Partial<Record<CommandName, Record<string, unknown>>>
type Door = (command: CommandName, input: Record<string, unknown>) => Promise<Answer>

const ABSENT = '00000000-0000-7000-8000-000000000000'
const NUL = 'a\0b'
const SURROGATE = 'a\ud800b'
const POLLUTED = JSON.parse('{"__proto__":{"polluted":true}}')

const SOME_TIME = '2026-01-01T00:00:00Z'
const rich = (messageId: string) => ({ mentions: { userIds: ['bob'] }, attachmentIds: [messageId] })

/** A good input of each command, for a chat and a message; what is tried differs from it in one field. */
const goodInputs = (chatId: string, messageId: string): Inputs => ({
  send_message: { chatId, content: 'x', clientMessageId: 'k', replyToId: messageId, metadata: {}, ...rich(messageId) },
  edit_message: { messageId, content: 'x' },
  get_message: { messageId },
  list_mentions: { limit: 10 },
  delete_message: { messageId },
  add_reaction: { messageId, emoji: 'x' },
  remove_reaction: { messageId, emoji: 'x' },
  pin_message: { messageId },
  unpin_message: { messageId },
  list_pins: { chatId, limit: 10 },
  report_message: { messageId, reason: 'spam', comment: 'x' },
  create_upload: { chatId, name: 'a.png', mimeType: 'image/png', size: 5, width: 1, height: 1, durationMs: 1 },
  mark_as_read: { chatId, upToSeq: 1 },
  get_read_marks: { chatId },
  get_messages: { chatId, beforeSeq: 5, limit: 10 },
  search_messages: { query: 'x', chatId, senderId: 'bob', after: SOME_TIME, before: SOME_TIME, limit: 10 },
  sync: { chats: { [chatId]: 1 }, limit: 10 },
  list_chats: { filter: 'all', limit: 10 },
  get_chat: { chatId },
  set_chat_settings: {
    chatId,
    mutedUntil: '2100-01-01T00:00:00Z',
    isPinned: true,
    isArchived: true,
    isHidden: true,
    isMarkedUnread: true,
  },
  create_chat: { type: 'group', memberIds: ['bob'], title: 'x', historyVisibility: 'all' },
  update_chat: { chatId, title: 'x', historyVisibility: 'all', slowModeSeconds: 10, isFrozen: true },
  list_members: { chatId, limit: 10 },
  add_members: { chatId, userIds: ['dave'] },
  remove_member: { chatId, userId: 'bob' },
  set_member_role: { chatId, userId: 'bob', role: 'admin' },
  leave_chat: { chatId },
  mute_member: { chatId, userId: 'bob', until: '2100-01-01T00:00:00Z' },
  ban_member: { chatId, userId: 'bob' },
  unban_member: { chatId, userId: 'bob' },
  list_bans: { chatId, limit: 10 },
  block_user: { userId: 'dave' },
  unblock_user: { userId: 'dave' },
  register_device: { kind: 'fcm', token: 'fcm-token:1' },
  unregister_device: { deviceId: messageId },
  get_users: { userIds: ['bob'] },
  typing: { chatId, isTyping: false },
  set_presence: { status: 'online' },
  watch_presence: { userIds: ['bob'] },
  unwatch_presence: { userIds: ['bob'] },
  logout: {},
})

/** What no field of a kind takes. */
function badValues(value: unknown, field: string): unknown[] {
  if (Array.isArray(value)) return [[NUL], [SURROGATE], [''], [1], [null], 'bob', {}, null, [['bob']]]
  if (field === 'chats')
    return [{ [NUL]: 1 }, { [SURROGATE]: 1 }, { a: Number.POSITIVE_INFINITY }, { a: -1 }, {}, [], 'a']
  if (field === 'mentions') {
    const faults = ['bob', [NUL], [SURROGATE], [1], Array.from({ length: 51 }, (_, i) => `user-${i}`)]
    return [[], 'bob', 1, null, { everyone: 'yes' }, { all: true }, ...faults.map((userIds) => ({ userIds }))]
  }
  if (field === 'metadata') {
    const deep = JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`)
    const faults = [{ a: NUL }, { [NUL]: 1 }, { a: SURROGATE }, { a: Number.POSITIVE_INFINITY }, POLLUTED]
    return [...faults, { constructor: { prototype: {} } }, { a: 'x'.repeat(5_000) }, deep, 'text', []]
  }
  if (typeof value === 'number') return [Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 31, '1', null, {}]
  if (typeof value === 'boolean') return ['true', 1, null]
  const texts = [NUL, SURROGATE, '', 1, {}, ['x'], true]
  if (['until', 'mutedUntil', 'after', 'before'].includes(field))
    return [...texts, 'tomorrow', '2100-02-30T00:00:00Z', '2100-01-01', '2100-01-01T25:00:00Z']
  return field === 'content' || field === 'emoji' || field === 'query' ? [...texts, ' \n\t'] : texts
}

/** Fastify's parser refuses such a body before there is a field to name. */
const isPolluting = (payload: object, isRest: boolean) => isRest && /__proto__|prototype/.test(JSON.stringify(payload))

/** Whether a bad value of a field can be said over REST at all: a URL holds text, and no lone surrogates. */
function canBeSaid(command: CommandName, field: string, value: unknown): boolean {
  const rest = restOf(command)
  if (!rest) return false
  const isInUrl = rest.inUrl.includes(field)
  if (!isInUrl && !rest.inQuery) return true
  if (isInUrl && value === '') return false
  return typeof value === 'string' && !/\p{Cs}/u.test(value) && !(Number(value) === 1)
}

async function rowsOf({ app }: Service): Promise<unknown> {
  const tables = ['chats', 'chat_settings', 'members', 'messages', 'chat_log', 'reactions', 'users']
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`)
  const { rows } = await app.db.pool.query(
    `SELECT ${counts}, (SELECT md5(string_agg(m::text, ',' ORDER BY id)) FROM messages m) AS said, (SELECT sum(revision) FROM chats) AS revisions`,
  )
  return rows[0]
}

const doorsOf = (service: Service, socket: ClientSocket, userId: string): [string, Door][] => [
  ['socket', (command, input) => overSocket(socket, command, input)],
  ['rest', (command, input) => overRest(service, command, input, userId)],
]

onEachDatabase('what does not fit is refused with its path and leaves nothing behind', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users' })
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
  const { message } = await must(socket, 'send_message', { chatId: chat.chatId, content: 'stays as it is' })
  const good = goodInputs(chat.chatId, message.id)
  t.same(
    Object.keys(good).sort(),
    COMMAND_NAMES.filter((name) => name !== 'refresh_token').sort(),
    'no command is left out',
  )
  const before = await rowsOf(service)

  for (const [name, door] of doorsOf(service, socket, 'alice')) {
    await t.test(name, async (t) => {
      let tried = 0
      for (const [command, input] of Object.entries(good) as [CommandName, Record<string, unknown>][]) {
        const isRest = name === 'rest'
        if (isRest && (!restOf(command) || command === 'get_users')) continue
        const faults: [path: string, input: Record<string, unknown>][] = []
        for (const [field, value] of Object.entries(input)) {
          for (const bad of badValues(value, field)) {
            // The title and only it may be null; a chat may be made without members.
            if (isRest && !canBeSaid(command, field, bad)) continue
            faults.push([`/${field}`, { ...input, [field]: bad }])
          }
        }
        faults.push(['/nonsense', { ...input, nonsense: 'x' }])
        for (const [path, payload] of faults) {
          tried += 1
          const answer = await door(command, payload)
          const fits =
            !answer.ok &&
            answer.error.code === 'VALIDATION_FAILED' &&
            (isPolluting(payload, isRest) ? [{ path, message: 'no JSON' }] : (answer.error.details as Fault[])).some(
              (fault) => fault.path.startsWith(path) && fault.message !== '',
            )
          if (!fits) t.fail(`${command} took ${JSON.stringify(payload[path.slice(1)])} as ${path}`, { payload, answer })
        }
        if (!isRest || !restOf(command)?.inQuery) {
          const polluting = JSON.parse(
            `{"__proto__":{"polluted":true},${JSON.stringify(input).slice(1)}`.replace(',}', '}'),
          )
          const answer = await door(command, polluting)
          t.notOk(answer.ok, `${command} refuses __proto__`)
          if (!answer.ok) t.equal(answer.error.code, 'VALIDATION_FAILED')
        }
      }
      t.equal(({} as { polluted?: boolean }).polluted, undefined)
      t.pass(`${tried} faults`)
    })
  }
  t.same(await rowsOf(service), before, 'nothing is stored')
})

onEachDatabase('what is not one’s own is not there', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users', uploads: 'folder' })
  const { socket: alice } = await connect(t, service, 'alice')
  const { socket: bob } = await connect(t, service, 'bob')
  const make = async (memberIds: string[]) =>
    (await must(alice, 'create_chat', { type: 'group', memberIds })).chat.chatId
  const say = async (chatId: string) =>
    (await must(alice, 'send_message', { chatId, content: 'a secret of others' })).message.id
  const [mine, left, foreign] = [await make(['bob']), await make(['bob']), await make(['carol'])]
  const [ownId, leftId, foreignId] = [await say(mine), await say(left), await say(foreign)]
  await must(alice, 'remove_member', { chatId: left, userId: 'bob' })
  const before = await rowsOf(service)

  for (const [name, door] of doorsOf(service, bob, 'bob')) {
    const ask = async (command: CommandName, input: Record<string, unknown>) => {
      if (name === 'rest' && !restOf(command)) return null
      const answer = await door(command, input)
      t.notMatch(JSON.stringify(answer), /secret/, `${name}: ${command} leaks nothing`)
      return answer
    }
    for (const command of COMMAND_NAMES) {
      const { properties } = COMMANDS[command].input
      if ('messageId' in properties) {
        const absent = await ask(command, goodInputs(mine, ABSENT)[command] ?? {})
        t.match(absent, { ok: false, error: { code: 'NOT_FOUND' } })
        for (const messageId of [leftId, foreignId]) {
          t.same(
            await ask(command, goodInputs(mine, messageId)[command] ?? {}),
            absent,
            `${name}: ${command} of another’s message`,
          )
        }
      } else if ('chatId' in properties && !['create_chat', 'search_messages', 'sync'].includes(command)) {
        const absent = await ask(command, goodInputs('nowhere', ownId)[command] ?? {})
        if (!absent) continue
        t.match(absent, { ok: false, error: { code: 'NOT_FOUND' } }, command)
        for (const chatId of [left, foreign]) {
          t.same(
            await ask(command, goodInputs(chatId, ownId)[command] ?? {}),
            absent,
            `${name}: ${command} in another’s chat`,
          )
        }
      }
    }
    for (const replyToId of [ABSENT, leftId, foreignId]) {
      t.match(
        await ask('send_message', { chatId: mine, content: 'x', replyToId }),
        { ok: false, error: { code: 'VALIDATION_FAILED', details: [{ path: '/replyToId', message: String }] } },
        `${name}: a reply to another chat’s message`,
      )
    }
    for (const chatId of [left, foreign, 'nowhere']) {
      const found = await ask('search_messages', { query: 'secret', chatId })
      t.same(found, { ok: true, data: { messages: [], nextCursor: null } }, `${name}: search`)
      t.same(await ask('sync', { chats: { [chatId]: 1 } }), { ok: true, data: { chats: { [chatId]: { gone: true } } } })
    }
    const ids = { messageIds: [leftId, foreignId, ABSENT] }
    const marked = name === 'socket' ? await ask('mark_as_read', ids) : { ok: true, data: { chats: [] } }
    t.same(marked, { ok: true, data: { chats: [] } }, 'foreign ids are ignored')
    for (const cursor of ['nonsense', NUL, 'e30', Buffer.from('[1]').toString('base64url')]) {
      t.match(
        await ask('list_chats', { cursor }),
        { ok: false, error: { code: 'VALIDATION_FAILED' } },
        `${name}: ${cursor}`,
      )
      t.match(await ask('search_messages', { query: 'x', cursor }), { ok: false, error: { code: 'VALIDATION_FAILED' } })
      t.match(await ask('list_members', { chatId: mine, cursor }), { ok: false, error: { code: 'VALIDATION_FAILED' } })
    }
  }
  t.same(await rowsOf(service), before, 'nothing changed')
})
