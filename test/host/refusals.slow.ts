import { Server } from 'socket.io'
import t from 'tap'
import chat from '../../app.js'
import { embeddedDir, SECRET } from '../helper.js'
import { chatOptions, createHost } from '../helpers/host.js'

t.test('what cannot be is said at the start', async (t) => {
  const taken = createHost(t)
  taken.decorate('chat', { mine: true } as never)
  await t.rejects(async () => taken.register(chat, await chatOptions(t, { dataDir: '/nonexistent' })), {
    message: /"chat" is taken/,
  })

  const dataDir = await embeddedDir(t)
  const twice = createHost(t)
  await twice.register(chat, await chatOptions(t, { prefix: '/a', dataDir }))
  const samePath = await chatOptions(t, { prefix: '/b', decorator: 'b' })
  await t.rejects(async () => twice.register(chat, samePath), { message: /SOCKET_PATH \/socket.io has/ })

  const third = createHost(t)
  const sameFolder = await chatOptions(t, { dataDir })
  await t.rejects(async () => third.register(chat, sameFolder), { code: 'DATA_DIR_LOCKED' })

  const foreign = createHost(t)
  foreign.decorate('io', new Server(foreign.server) as never)
  await t.rejects(async () => foreign.register(chat, await chatOptions(t)), { message: /SOCKET_PATH/ })
})

t.test('the environment is read where it is given, and production is never less', async (t) => {
  // What the options do not say came from process.env, asked or not.
  t.intercept(process, 'env', { value: { ...process.env, NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(40) } })
  const silent = createHost(t)
  const { nodeEnv: _mode, jwtSecret: _secret, ...bare } = await chatOptions(t)
  await t.rejects(async () => silent.register(chat, bare), { message: /JWT_SECRET .* must be set in production/ })

  const told = createHost(t)
  await told.register(chat, { ...bare, env: { NODE_ENV: 'test', JWT_SECRET: SECRET, MAX_MESSAGE_CHARS: '7' } })
  t.equal(told.chat.config.MAX_MESSAGE_CHARS, 7)

  const typo = createHost(t)
  await t.rejects(async () => typo.register(chat, { ...bare, nodeEnv: 'tset' as 'test' }), { message: /NODE_ENV/ })
})
