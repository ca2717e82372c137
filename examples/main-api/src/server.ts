import express, { type NextFunction, type Request, type Response } from 'express'
import jwt from 'jsonwebtoken'
import { Webhook } from 'standardwebhooks'
import { ChatFailure, createChatApi } from './chat.js'
import { createReceiver } from './hooks.js'
import { createOrders, type Order, refusalOf } from './orders.js'

const { CHAT_URL = 'http://127.0.0.1:3002', SERVICE_API_KEYS = '', JWT_SECRET = '', PORT = '3001' } = process.env
const chat = createChatApi(CHAT_URL, SERVICE_API_KEYS)
const app = express()

// The chat asks before it stores what somebody wrote. The signature is of the body as it came, so this stands before express.json().
const { BEFORE_SEND_SECRET } = process.env
const webhook = BEFORE_SEND_SECRET ? new Webhook(BEFORE_SEND_SECRET) : null
app.post('/before-send', express.text({ type: '*/*', limit: '300kb' }), (request, response) => {
  try {
    webhook?.verify(request.body as string, request.headers as Record<string, string>)
  } catch {
    return void response.status(401).end()
  }
  const { data } = JSON.parse(request.body as string) as { data: { content: string | null } }
  const content = data.content ?? ''
  if (/\bspam\b/i.test(content)) response.json({ action: 'refuse', reason: 'No spam, please.' })
  else if (/\bdarn\b/i.test(content)) {
    response.json({ action: 'replace', content: content.replace(/\bdarn\b/gi, '****') })
  } else response.json({ action: 'allow' })
})

// What happens in the chat, told by the chat: every change, in order, and who has not read for a while.
const { WEBHOOK_SECRET, DATABASE_URL } = process.env
const receiver = WEBHOOK_SECRET ? createReceiver(WEBHOOK_SECRET) : null
app.post('/hooks', express.text({ type: '*/*', limit: '5mb' }), (request, response) => {
  const headers = request.headers as Record<string, string>
  response.status(receiver ? receiver.receive(headers, request.body as string) : 404).end()
})
app.get('/hooks', (_request, response) => void response.json(receiver?.state() ?? {}))

app.use(express.json())

// Somebody signs up: the chat is told, and a token of ours opens it.
app.post('/people', async (request, response) => {
  const { id, name } = request.body as { id: string; name: string }
  const user = await chat.putUser(id, name)
  response.status(201).json({ user, token: jwt.sign({ sub: id }, JWT_SECRET, { expiresIn: '1h' }) })
})

// A team has a chat, under the team's own id.
app.put('/teams/:id', async (request, response) => {
  const { title, people } = request.body as { title: string; people: string[] }
  const { chat: made, created } = await chat.putGroup(`team-${request.params.id}`, title, people)
  await chat.send(people[0] as string, made.chatId, `Welcome to ${title}!`, `welcome-${request.params.id}`)
  response.status(created ? 201 : 200).json({ chatId: made.chatId })
})

// An order of somebody, and the message that tells their chat: one transaction.
const orders = DATABASE_URL ? createOrders(DATABASE_URL) : null
await orders?.prepare()
app.put('/orders/:id', async (request, response) => {
  const { what, userId, chatId } = request.body as Omit<Order, 'id'>
  if (!orders) return void response.status(404).json({ error: { message: 'Orders need DATABASE_URL.' } })
  const placed = await orders.place({ id: request.params.id, what, userId, chatId })
  response.status(placed.duplicate ? 200 : 201).json(placed)
})

app.get('/people/:id/presence', async (request, response) => {
  const { statuses } = await chat.presenceOf([request.params.id])
  response.json(statuses[0])
})

app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
  const refusal = error instanceof ChatFailure ? error : refusalOf(error)
  if (refusal) response.status(refusal.status).json({ error: refusal.body })
  else response.status(500).json({ error: { message: 'Something broke.' } })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`main-api on http://127.0.0.1:${PORT}`))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close(() => void (orders?.stop() ?? Promise.resolve()).then(() => process.exit(0)))
    server.closeIdleConnections()
  })
}
