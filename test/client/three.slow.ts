import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { ChatClient } from '../../client/src/index.js'
import type { Message, MyChat } from '../../client/src/wire.js'
import { createServerProcess, type ServerProcess, tokenOf } from '../faults/server.js'
import { embeddedDir, until } from '../helper.js'
import { freePort } from '../helpers/postgres.js'
import { createRandom } from '../simulator/random.js'
import { clientOf, online } from './client.js'
import { isOnline, launch, needsChromium, openPage, servePage } from './page.js'
import { stateOf } from './world.js'

// npm run faults:client -- [--kills N] [--seed N]
const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } })
const kills = Number(values.kills ?? 5)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const DEED_MS = 25
const LIFE_MS = 1_500
const REST_MS = 60_000

t.setTimeout(300_000 + kills * 60_000)

/** What somebody does in a room, by a number below 1000; answers the key of what was written. Also the text of a page's script. */
function deed(client: ChatClient, chatId: string, roll: number, content: string): string | null {
  const room = client.room(chatId)
  const stored = room.entries.get().flatMap((entry) => (entry.status === 'stored' ? [entry.message] : []))
  const message = stored[Math.max(0, stored.length - 1 - (roll % 7))]
  const mine = stored.filter(({ sender }) => sender.userId === client.me.get()?.userId).at(-1 - (roll % 2))
  // What is refused or cut off is taken back: what holds is what the server has.
  const given = () => {}
  if (!message) void room.latest()
  if (roll < 500 || !message) return room.send({ content })
  if (roll < 650) void (mine && room.edit(mine.id, { content }).catch(given))
  else if (roll < 850) void room.react(message.id, roll % 2 ? '👍' : '🎉', roll % 3 > 0).catch(given)
  else room.read(message.seq)
  return null
}

interface Person {
  userId: string
  act(roll: number, content: string): Promise<string | null>
  state(): Promise<{ messages: Message[]; chat: MyChat | undefined; waiting: number }>
}

function inNode(client: ChatClient, userId: string, chatId: string): Person {
  return {
    userId,
    act: async (roll, content) => deed(client, chatId, roll, content),
    async state() {
      const { rooms, chats } = await stateOf(client, [chatId])
      return { messages: rooms[chatId] ?? [], chat: chats[0], waiting: client.outbox.get().length }
    },
  }
}

function inPage(page: () => Page, userId: string, chatId: string): Person {
  return {
    userId,
    act: (roll, content) =>
      page().evaluate(([id, number, text]) => deedIn(client, id, number, text), [chatId, roll, content] as const),
    state: () =>
      page().evaluate(async (id) => {
        const room = client.room(id)
        await room.latest()
        while (room.history.get().hasBefore) await room.before()
        return {
          messages: room.entries.get().flatMap((entry) => (entry.status === 'stored' ? [entry.message] : [])),
          chat: client.chats.get()[0],
          waiting: client.outbox.get().length,
        }
      }, chatId),
  }
}

declare global {
  var deedIn: typeof deed
}

/** What the server has, as one of them may see it. */
async function truthOf(server: ServerProcess, chatId: string, userId: string) {
  const ask = async (path: string) => {
    const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${tokenOf(userId)}` } })
    if (!answer.ok) throw new Error(`${path} is answered with ${answer.status}`)
    return answer.json()
  }
  const messages: Message[] = []
  for (let more = true; more; ) {
    const first = messages[0]
    const page = await ask(`/chats/${chatId}/messages?limit=100${first ? `&beforeSeq=${first.seq}` : ''}`)
    messages.unshift(...page.messages)
    more = page.hasBefore
  }
  const { chat }: { chat: MyChat } = await ask(`/chats/${chatId}`)
  return { messages, chat, waiting: 0 }
}

async function endsLikeTheServer(t: Test, server: ServerProcess, chatId: string, person: Person): Promise<void> {
  for (const end = Date.now() + REST_MS; ; await sleep(300)) {
    const [found, wanted] = [await person.state(), await truthOf(server, chatId, person.userId)]
    if (isDeepStrictEqual(found, JSON.parse(JSON.stringify(wanted))))
      return void t.pass(`${person.userId} shows what is`)
    if (Date.now() > end) return void t.same(found, wanted, `${person.userId} shows what is`)
  }
}

t.test(`three clients of a server that is killed ${kills} times`, needsChromium, async (t) => {
  t.comment(`npm run faults:client -- --kills ${kills} --seed ${seed}`)
  const random = createRandom(seed)
  const env = { DATA_DIR: await embeddedDir(t), AUTO_CREATE_USERS: 'true', CHAT_CREATION: 'users' }
  const server = createServerProcess(await freePort(), env)
  t.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  const service = { url: server.url, token: (userId: string) => tokenOf(userId) }
  const [alice, bob] = [clientOf(t, service, 'alice'), clientOf(t, service, 'bob')]
  const context = await (await launch(t)).newContext()
  await context.addInitScript({ content: `globalThis.deedIn = ${deed}` })
  const url = await servePage(t, server.url, tokenOf('carol'))
  const tabs = [await openPage(context, url), await openPage(context, url)]
  await Promise.all([online(alice), online(bob)])
  const { chat } = await alice.command('create_chat', { type: 'group', memberIds: ['bob', 'carol'], title: 'Three' })
  const { chatId } = chat
  const tab = (index: number) => () => tabs[index] as Page
  const people: Person[] = [
    inNode(alice, 'alice', chatId),
    inNode(bob, 'bob', chatId),
    inPage(tab(0), 'carol', chatId),
    inPage(tab(1), 'carol', chatId),
  ]
  const written: string[] = []

  /** All do something at a time, for a while. */
  async function live(ms: number): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(DEED_MS)) {
      const keys = await Promise.all(people.map(({ act }) => act(random.below(1_000), `line ${random.below(1e9)}`)))
      for (const key of keys) if (key !== null) written.push(key)
    }
  }

  await live(LIFE_MS)
  for (let killed = 0; killed < kills; killed += 1) {
    await server.kill()
    server.spawn()
    await live(random.below(LIFE_MS))
    if (killed % 3 === 1) await renewTab(killed % 2, killed % 4 === 0)
    await server.ready()
    await live(random.below(LIFE_MS))
  }

  /** A tab is loaded anew, or closed and another opened, in the midst of what it sends, once the other tab knows of all that it has written. */
  async function renewTab(index: number, isReload: boolean): Promise<void> {
    const [own, other] = [tab(index)(), tab(1 - index)()]
    // Asked anew each time: what has been sent meanwhile may be older than all that the other tab has loaded.
    await until('the other tab knows of all that waits', async () => {
      const keys = await own.evaluate(() => client.outbox.get().map(({ key }) => key))
      const known = await other.evaluate(
        (id) => [...client.outbox.get(), ...client.room(id).entries.get()].map(({ key }) => key),
        chatId,
      )
      return keys.every((key) => known.includes(key))
    })
    if (isReload) return void (await own.reload())
    await own.close()
    tabs[index] = await openPage(context, url)
  }

  await Promise.all([online(alice), online(bob), ...tabs.map(isOnline)])
  for (const person of people) await endsLikeTheServer(t, server, chatId, person)
  const { messages } = await truthOf(server, chatId, 'alice')
  const stored = messages.map(({ clientMessageId }) => clientMessageId)
  t.same(stored.toSorted(), written.toSorted(), `${written.length} written, each stored once`)
  t.ok(written.length > kills * 5, 'they have written something')
})
