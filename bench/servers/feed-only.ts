// The whole service, whose feed is given prepared changes as a group commit would: the delivery told apart from the send.
import Fastify from 'fastify'
import { serviceScope } from '../../app.js'
import type { LoggedChange, Written } from '../../services/bus/index.js'
import { listenForBursts } from '../peers/control.js'
import { payload, roomName } from '../peers/payload.js'

const host = Fastify({ logger: { level: 'warn' }, pluginTimeout: 60_000 })
/** The service's own scope. */
export const { app } = await serviceScope(host, { env: process.env })
await host.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
const { bus } = app.chat
const seqs = new Map<string, number>()

listenForBursts((size, count, burst) => {
  const written: Written[] = []
  for (let room = 0; room < count; room++) {
    const chatId = roomName(size, room)
    let seq = seqs.get(chatId) ?? 0
    const after = seq + 1
    const changes: LoggedChange[] = []
    for (let i = 0; i < burst; i++) {
      seq += 1
      changes.push({ chatId, revision: seq + 1, kind: 'message_created', actorId: 'u1', message: payload(chatId, seq) })
    }
    seqs.set(chatId, seq)
    written.push({ chatId, range: { after, through: seq + 1 }, changes })
  }
  bus.publish('changes', written)
})
