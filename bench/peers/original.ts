// The original design, written plainly: stock Socket.IO, a pool, and one SQL call after the other. Its Express served only REST,
// of which nothing is measured: node:http stands in its place.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createVerifier } from 'fast-jwt'
import pg from 'pg'
import { Server, type Socket } from 'socket.io'

interface User {
  id: string
  name: string
}
interface Send {
  chatId: string
  content: string
}
type Ack = (answer: object) => void

const server = createServer()
const io = new Server(server)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const verify = createVerifier({ key: process.env.JWT_SECRET, algorithms: ['HS256'] })
const socketsOf = new Map<string, string>()

io.use(async (socket, next) => {
  try {
    const { sub } = verify(socket.handshake.auth.token) as { sub: string }
    const { rows } = await pool.query('SELECT id, name FROM users WHERE id = $1', [sub])
    if (rows.length === 0) return next(new Error('unknown user'))
    socket.data.user = rows[0] as User
    next()
  } catch (error) {
    next(error as Error)
  }
})

io.on('connection', async (socket) => {
  const user = socket.data.user as User
  socketsOf.set(user.id, socket.id)
  socket.on('send_message', (send: Send, ack: Ack) => {
    handleSendMessage(socket, send, ack).catch((error: Error) => ack({ ok: false, error: error.message }))
  })
  socket.on('disconnect', () => {
    socketsOf.delete(user.id)
    pool.query('UPDATE users SET last_seen_at = now() WHERE id = $1', [user.id]).catch(() => {})
  })
  const { rows } = await pool.query('SELECT chat_id FROM chat_members WHERE user_id = $1', [user.id])
  for (const { chat_id } of rows) socket.join(`chat_${chat_id}`)
  socket.emit('session', { user, chats: rows })
})

async function handleSendMessage(socket: Socket, { chatId, content }: Send, ack: Ack): Promise<void> {
  const user = socket.data.user as User
  const member = await pool.query('SELECT 1 FROM chat_members WHERE chat_id = $1 AND user_id = $2', [chatId, user.id])
  if (member.rows.length === 0) return ack({ ok: false, error: 'not a member' })
  const { rows } = await pool.query(
    'INSERT INTO messages (id, chat_id, sender_id, content) VALUES ($1, $2, $3, $4) RETURNING id, chat_id, sender_id, content, created_at',
    [randomUUID(), chatId, user.id, content],
  )
  const message = { ...rows[0], sender: user }
  await pool.query('UPDATE chats SET last_message_id = $1, updated_at = now() WHERE id = $2', [message.id, chatId])
  io.to(`chat_${chatId}`).emit('new_message', message)
  ack({ ok: true, message })
}

server.listen(Number(process.env.PORT), '127.0.0.1')
