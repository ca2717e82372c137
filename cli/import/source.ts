import pg from 'pg'
import { Refusal } from '../../services/refusals/refusal.js'

/** A user, chat, member and message of the old service, as its tables had them. */
export interface OldUser {
  id: string
  name: string | null
  avatarUrl: string | null
  createdAt: Date | null
  lastSeenAt: Date | null
}

export interface OldChat {
  id: string
  title: string | null
  kind: string | null
  ownerId: string | null
  createdAt: Date | null
}

export interface OldMember {
  chatId: string
  userId: string
  role: string | null
  joinedAt: Date | null
  lastReadAt: Date | null
}

export interface OldMessage {
  id: string
  chatId: string
  senderId: string | null
  content: string | null
  createdAt: Date | null
  editedAt: Date | null
  deletedAt: Date | null
  replyToId: string | null
  isRead: boolean | null
  attachmentUrl: string | null
  attachmentName: string | null
  attachmentType: string | null
  /** As JSON. */
  metadata: string | null
}

interface Column {
  name: string
  type: string
}

/** A table: its columns by their names in small letters without underscores, as Prisma's and mapped names then agree. */
interface Table {
  name: string
  columns: Map<string, Column>
}

export interface Source {
  /** What was found for each model, and the columns that nothing here takes. */
  found: { model: string; table: string; leftBehind: string[] }[]
  /** The fields that have a column, as `ChatMember.lastReadAt`. */
  knows: Set<string>
  users(): AsyncIterable<OldUser[]>
  chats(): AsyncIterable<OldChat[]>
  /** Of each chat all members together, in the order of chats. */
  members(): AsyncIterable<OldMember[]>
  /** In the order of chats; within one by time, then by id. */
  messages(): AsyncIterable<OldMessage[]>
  close(): Promise<void>
}

const PAGE = 5_000
const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

const TABLES = {
  User: ['user', 'users', 'account', 'accounts'],
  Chat: ['chat', 'chats', 'conversation', 'conversations', 'room', 'rooms', 'chatroom', 'chatrooms'],
  Message: ['message', 'messages', 'chatmessage', 'chatmessages'],
  Member: ['member', 'members', 'participant', 'participants', 'user', 'users'].flatMap((end) =>
    ['chat', 'conversation', 'room', 'chatroom', ''].map((start) => start + end),
  ),
}

/** Opens the database of a service made with Prisma on PostgreSQL, and finds its tables; all is read in one snapshot. */
export async function openSource(url: string, schema: string): Promise<Source> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    return await describe(client, schema)
  } catch (error) {
    await client.end()
    throw error
  }
}

async function describe(client: pg.Client, schema: string): Promise<Source> {
  const tables = await readTables(client, schema)
  const found: Source['found'] = []
  const knows: Source['knows'] = new Set()

  function find(model: keyof typeof TABLES, not: Table[] = []): Table | undefined {
    const names = TABLES[model]
    return names.map((name) => tables.find((table) => plain(table.name) === name && !not.includes(table))).find(Boolean)
  }

  /** The expression of a field: the first of its names that the table has. */
  function read(model: string, table: Table, fields: Record<string, string[]>): string {
    const taken = new Set<string>()
    const list = Object.entries(fields).map(([field, names]) => {
      const column = names.map((name) => table.columns.get(name)).find((column) => column && suits(field, column))
      if (column) {
        taken.add(column.name)
        knows.add(`${model}.${field}`)
      }
      return `${column ? expression(field, column) : nothing(field)} AS ${quote(field)}`
    })
    const leftBehind = [...table.columns.values()].map(({ name }) => name).filter((name) => !taken.has(name))
    found.push({ model, table: table.name, leftBehind })
    return `SELECT ${list.join(', ')} FROM ${quote(schema)}.${quote(table.name)} t`
  }

  function must(model: keyof typeof TABLES): Table {
    const table = find(model)
    if (!table) throw new Refusal(`There is no table of ${model} in the schema ${schema}: name another with --schema.`)
    return table
  }

  const user = must('User')
  const chat = must('Chat')
  const message = must('Message')
  const pairs = tables.filter(({ name, columns }) => name.startsWith('_') && columns.has('a') && columns.has('b'))
  const member = find('Member', [user, chat]) ?? pairs[0]
  if (!member) throw new Refusal(`There is no table of members in the schema ${schema}: name another with --schema.`)
  const isPair = pairs.includes(member)
  // Prisma names the columns of an implicit relation A and B, in the order of the models' names.
  const [chatSide, userSide]: [string, string] = chat.name < user.name ? ['a', 'b'] : ['b', 'a']

  const users = read('User', user, {
    id: ['id'],
    // Never the address: everybody in a chat sees the name.
    name: ['name', 'displayname', 'fullname', 'username', 'nickname'],
    avatarUrl: ['avatarurl', 'avatar', 'image', 'picture', 'photourl', 'profilepicture', 'profileimage'],
    createdAt: ['createdat'],
    lastSeenAt: ['lastseenat', 'lastseen', 'lastactiveat'],
  })
  const chats = read('Chat', chat, {
    id: ['id'],
    title: ['title', 'name'],
    kind: ['type', 'kind', 'isgroup'],
    ownerId: ['ownerid', 'createdbyid', 'createdby', 'creatorid', 'adminid'],
    createdAt: ['createdat'],
  })
  const members = read('ChatMember', member, {
    chatId: isPair ? [chatSide] : ['chatid', 'conversationid', 'roomid', 'chatroomid'],
    userId: isPair ? [userSide] : ['userid', 'memberid', 'participantid'],
    role: ['role', 'isadmin'],
    joinedAt: ['joinedat', 'createdat'],
    lastReadAt: ['lastreadat', 'readat'],
  })
  const messages = read('Message', message, {
    id: ['id'],
    chatId: ['chatid', 'conversationid', 'roomid', 'chatroomid'],
    senderId: ['senderid', 'authorid', 'userid', 'fromid', 'fromuserid', 'createdbyid'],
    content: ['content', 'text', 'body', 'message'],
    createdAt: ['createdat', 'sentat', 'timestamp', 'date'],
    editedAt: ['editedat'],
    deletedAt: ['deletedat', 'isdeleted', 'deleted'],
    replyToId: ['replytoid', 'replytomessageid', 'parentid', 'parentmessageid'],
    isRead: ['isread', 'read', 'readat', 'seen'],
    attachmentUrl: [
      'attachmenturl',
      'fileurl',
      'imageurl',
      'mediaurl',
      'attachment',
      'file',
      'image',
      'media',
      'photo',
    ],
    attachmentName: ['attachmentname', 'filename'],
    attachmentType: ['attachmenttype', 'mimetype', 'contenttype', 'filetype', 'mediatype'],
    metadata: ['metadata', 'meta'],
  })
  const of = (table: Table, ...names: string[]) =>
    `t.${quote(names.map((name) => table.columns.get(name)?.name).find(Boolean) ?? 'id')}`

  return {
    found,
    knows,
    users: () => pages(client, `${users} ORDER BY ${of(user, 'id')}`),
    chats: () => pages(client, `${chats} ORDER BY "createdAt" NULLS FIRST, ${of(chat, 'id')}`),
    members: () => pages(client, `${members} ORDER BY "chatId", "joinedAt" NULLS FIRST, "userId"`),
    messages: () => pages(client, `${messages} ORDER BY "chatId", "createdAt", ${of(message, 'id')}`),
    close: () => client.end(),
  }
}

async function readTables(client: pg.Client, schema: string): Promise<Table[]> {
  const { rows } = await client.query<{ table: string; name: string; type: string }>(
    `SELECT table_name AS table, column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_schema = $1 ORDER BY table_name, ordinal_position`,
    [schema],
  )
  const tables = new Map<string, Table>()
  for (const { table, name, type } of rows) {
    const known = tables.get(table) ?? { name: table, columns: new Map() }
    tables.set(table, known)
    known.columns.set(plain(name), { name, type })
  }
  return [...tables.values()]
}

/** Whether a column of a name can be what the name says: an `image` may also be the bytes themselves, or a list. */
function suits(field: string, { type }: Column): boolean {
  if (field.startsWith('attachment')) return /^(text|character)/.test(type)
  return field !== 'metadata' || /^jsonb?$/.test(type)
}

const nothing = (field: string) =>
  `NULL::${field === 'isRead' ? 'boolean' : field.endsWith('At') ? 'timestamptz' : 'text'}`

/** Prisma's `DateTime` is a timestamp without a zone that holds UTC; flags stand for times and kinds where the schema had no more. */
function expression(field: string, { name, type }: Column): string {
  const column = `t.${quote(name)}`
  const isFlag = type === 'boolean'
  if (field === 'isRead') return isFlag ? column : `(${column} IS NOT NULL)`
  if (field === 'kind' && isFlag) return `CASE WHEN ${column} THEN 'group' ELSE 'direct' END`
  if (field === 'role' && isFlag) return `CASE WHEN ${column} THEN 'admin' ELSE 'member' END`
  if (field === 'deletedAt' && isFlag) return `CASE WHEN ${column} THEN now() END`
  if (field.endsWith('At')) return type === 'timestamp without time zone' ? `${column} AT TIME ZONE 'UTC'` : column
  return `${column}::text`
}

/** The rows of a statement, some thousand at a time, however many there are. */
async function* pages<Row extends pg.QueryResultRow>(client: pg.Client, sql: string): AsyncIterable<Row[]> {
  await client.query(`DECLARE page NO SCROLL CURSOR FOR ${sql}`)
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${PAGE} FROM page`)
    if (rows.length === 0) break
    yield rows
  }
  await client.query('CLOSE page')
}
