// The whole service, whose feed is given prepared changes as a group commit would: the delivery told apart from the send.
import Fastify from 'fastify'
import { serviceScope } from '../../app.js'
import { listenForBursts } from '../peers/control.js'
import { payload, roomName } from '../peers/payload.js'

const host = Fastify({ logger: { level: 'warn' }, pluginTimeout: 60_000 })
const { app } = await serviceScope(host, { env: process.env })
await host.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
const { feed } = app.chat
const seqs = new Map<string, number>()

listenForBursts((size, count, burst) => {
  const changes = []
  for (let room = 0; room < count; room++) {
    const chatId = roomName(size, room)
    let seq = seqs.get(chatId) ?? 0
    for (let i = 0; i < burst; i++) {
      seq += 1
      changes.push({ chatId, revision: seq + 1, kind: 'message_created' as const, message: payload(chatId, seq) })
    }
    seqs.set(chatId, seq)
  }
  feed.publish(changes)
})
