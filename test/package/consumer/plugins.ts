// Plugins, each alone, with what it puts on the instance.
import auth from 'chat-socket-service/plugins/auth'
import config, { type Config } from 'chat-socket-service/plugins/config'
import db from 'chat-socket-service/plugins/db'
import docs from 'chat-socket-service/plugins/docs'
import errors from 'chat-socket-service/plugins/errors'
import io from 'chat-socket-service/plugins/io'
import limits from 'chat-socket-service/plugins/limits'
import security from 'chat-socket-service/plugins/security'
import services from 'chat-socket-service/plugins/services'
import socket from 'chat-socket-service/plugins/socket'
import validation from 'chat-socket-service/plugins/validation'
import Fastify from 'fastify'

export async function start(dataDir: string) {
  const app = Fastify({ pluginTimeout: 120_000 })
  await app.register(config, { nodeEnv: 'test', dataDir })
  for (const plugin of [errors, validation, security, db, auth, limits, io, services, socket, docs])
    await app.register(plugin)
  const settings: Config = app.config
  const [row] = await app.db.run<{ n: number }>('n', 'SELECT 1 AS n', [])
  const token: string = app.auth.sign({ sub: 'alice', exp: Math.floor(Date.now() / 1_000) + 60 })
  const { userId } = await app.auth.readToken(token)
  await app.chat.users.ensure([{ userId: userId as string, name: 'Alice', avatarUrl: null }])
  app.get('/mine', { onRequest: app.auth.requireCaller }, async (request) => request.chatCaller?.kind)
  const answer = await app.inject({ url: '/mine', headers: { authorization: `Bearer ${token}` } })
  const said = [settings.NODE_ENV, row?.n, answer.body, app.io.path()]
  await app.close()
  return said.join(' ')
}
