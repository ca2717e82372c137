import type { Test } from 'tap'
import { check } from '../../scripts/storm/check.js'
import { type ClientSocket, readChats, type View, watch } from '../../scripts/storm/history.js'
import { build, client, must, next, onEachDatabase, type Service, until } from '../helper.js'

const FULL_SPEED = 4

onEachDatabase('who comes, goes and comes again', async (t, database) => {
  const service = await build(t, database)
  const admin = (method: 'POST' | 'DELETE', chatId: string, userId: string) =>
    method === 'POST'
      ? service.call(method, `/chats/${chatId}/members`, { as: 'service', body: { userIds: [userId] } })
      : service.call(method, `/chats/${chatId}/members/${userId}`, { as: 'service' })

  await t.test('an added member is told of the chat, and of all that follows', async (t) => {
    const { chatId, views, enter, atHome } = await chat(t, service, ['alice', 'bob'])
    const [alice, carol] = [await enter('alice'), await enter('carol')]
    await must(alice, 'send_message', { chatId, content: 'before' })
    const added = next(carol, 'chat_added')
    t.equal((await admin('POST', chatId, 'carol')).status, 200)
    t.match(await added, { chatId, myRole: 'member', memberCount: 3, lastSeq: 1, unreadCount: 0 })
    await must(alice, 'send_message', { chatId, content: 'after' })
    await atHome()
    t.strictSame(eventsOf(views, 'carol', chatId), ['added', 'change'])
  })

  await t.test('a removed one gets that and nothing above it, while a hundred messages are sent', async (t) => {
    const { chatId, views, enter, atHome } = await chat(t, service, ['alice', 'bob', 'dave'])
    const [alice, bob, dave] = [await enter('alice'), await enter('bob'), await enter('dave')]
    const removed = next(bob, 'chat_removed')
    await must(alice, 'send_message', { chatId, content: 'first' })
    await Promise.all([
      ...Array.from({ length: 50 }, (_, i) => must(alice, 'send_message', { chatId, content: `${i}` })),
      next(dave, 'new_message', ({ seq }) => seq > 1).then(() => admin('DELETE', chatId, 'bob')),
      ...Array.from({ length: 50 }, (_, i) => must(dave, 'send_message', { chatId, content: `${50 + i}` })),
    ])
    const { revision } = await removed
    const line = (await readChats(service.app.db)).get(chatId)?.lines[revision - 1]
    t.match(line, { kind: 'member_removed', userId: 'bob' })
    await atHome()
    await must(bob, 'list_chats', {})
    t.equal(eventsOf(views, 'bob', chatId).at(-1), 'removed')

    const again = next(bob, 'chat_added')
    await admin('POST', chatId, 'bob')
    t.ok((await again).revision > revision)
    await must(alice, 'send_message', { chatId, content: 'welcome back' })
    await atHome()
    t.strictSame(eventsOf(views, 'bob', chatId).slice(-3), ['removed', 'added', 'change'])
  })

  await t.test('who connects while others send at full speed misses nothing and gets nothing twice', async (t) => {
    const { chatId, views, enter, atHome } = await chat(t, service, ['alice', 'bob', 'carol'])
    const alice = await enter('alice')
    const load = sendUntilStopped(alice, chatId)
    for (let round = 0; round < 10; round += 1) {
      const sockets = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          enter(i % 2 ? 'bob' : 'carol', i < 3 ? ['polling', 'websocket'] : undefined),
        ),
      )
      for (const socket of sockets.slice(round)) socket.disconnect()
    }
    t.ok((await load.stop()) > 0)
    await atHome()
    t.equal(views.length, 101)
  })

  await t.test('who is removed or added while connecting stands where the log says', async (t) => {
    const { chatId, views, enter, atHome } = await chat(t, service, ['alice', 'bob'])
    const load = sendUntilStopped(await enter('alice'), chatId)
    for (let round = 0; round < 40; round += 1) {
      const change = async () => {
        for (let turn = 0; turn < round >> 1; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        await admin(round % 2 ? 'POST' : 'DELETE', chatId, 'bob')
      }
      const [bob] = await Promise.all([enter('bob'), change()])
      if (round % 4 === 0) bob.disconnect()
    }
    await load.stop()
    await atHome()
    t.equal(views.length, 41)
  })
})

/** A group with a service's whole history of it, and who enters to watch it. */
async function chat(t: Test, service: Service, memberIds: string[]) {
  const made = await service.call('POST', '/chats', { as: 'service', body: { type: 'group', memberIds } })
  t.equal(made.status, 201)
  const { chatId } = made.body.chat as { chatId: string }
  const views: View[] = []

  async function enter(userId: string, transports = ['websocket']): Promise<ClientSocket> {
    const socket = client(t, service, userId, { transports })
    watch(socket, userId, views)
    const session = next(socket, 'session')
    socket.connect()
    await session
    return socket
  }

  /** Waits until everybody has all there is of this chat, and sees that they got it as they should. */
  async function atHome(): Promise<void> {
    const chats = new Map([...(await readChats(service.app.db))].filter(([id]) => id === chatId))
    const { lines = [], members = [] } = chats.get(chatId) ?? {}
    const stands = ({ userId, at, open }: View) =>
      !open || at.get(chatId) === (members.includes(userId) ? lines.length : undefined)
    await until('all stand at the head', () => views.every(stands))
    const ofChat = views.map((view) => ({ ...view, told: view.told.filter((told) => told.chatId === chatId) }))
    t.equal(check({ chats, views: ofChat, sends: sendsOf(lines) }), null)
  }
  return { chatId, views, enter, atHome }

  function sendsOf(lines: { message: { senderId: string; content: string | null } | null }[]) {
    return lines.flatMap(({ message }) =>
      message
        ? [{ userId: message.senderId, chatId, key: null, content: message.content ?? '', acked: null, refused: null }]
        : [],
    )
  }
}

const eventsOf = (views: View[], userId: string, chatId: string) =>
  views
    .filter((view) => view.userId === userId)
    .flatMap(({ told }) => told.filter((item) => item.chatId === chatId))
    .map(({ event }) => event)

/** Sends as fast as answers come, until told to stop; answers how many it sent. */
function sendUntilStopped(socket: ClientSocket, chatId: string) {
  let running = true
  let sent = 0
  async function run(lane: number): Promise<void> {
    while (running) {
      await must(socket, 'send_message', { chatId, content: `${lane}: ${sent}` })
      sent += 1
    }
  }
  const lanes = Array.from({ length: FULL_SPEED }, (_, lane) => run(lane))
  return {
    async stop(): Promise<number> {
      running = false
      await Promise.all(lanes)
      return sent
    },
  }
}
