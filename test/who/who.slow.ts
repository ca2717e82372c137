import t, { type Test } from 'tap'
import webPush from 'web-push'
import { COMMAND_NAMES, type CommandName } from '../../contract/commands.js'
import { RESOURCE_NAMES, RESOURCES, type Resource, type ResourceName } from '../../contract/resources.js'
import { build, type ClientSocket, connect, onEachDatabase, type Service, until } from '../helper.js'
import { doorsOf, type Heard, isUser, request, send } from './doors.js'
import { faultOf, isRefusal } from './marks.js'
import { ACTORS, type Actor, type Asked, COMMAND_ROWS, type Mark, type Place, ROUTE_ROWS, readRow } from './matrix.js'
import { digest, type Ground, makeGrounds, PEOPLE, USER_OF } from './place.js'

t.setTimeout(300_000)

/** What each success of these takes away is what the next would need. */
const ONCE: ReadonlySet<CommandName> = new Set(['leave_chat', 'remove_member', 'ban_member', 'set_member_role'])

/** What trails behind the row that makes it: marks are told once a second, and the end of typing after six. */
const TRAILS: Record<string, CommandName | undefined> = { messages_read: 'mark_as_read', typing: 'typing' }

/** One call of a row: who, through which door, and what is to be answered. */
interface Call {
  actor: Actor
  mark: Mark
  door: Heard['door']
}

type Run = (call: Call, at: Place) => Promise<Heard>

/** The service, a socket for each actor, and all that the sockets were told. */
async function open(t: Test, service: Service) {
  const grounds = await makeGrounds(service)
  const told: { userId: string; event: string; payload: unknown }[] = []
  const sockets = new Map<Actor, ClientSocket>()
  const hear = (userId: string, socket: ClientSocket) => {
    socket.onAny((event: string, payload: unknown) => told.push({ userId, event, payload }))
    return socket
  }
  for (const actor of ACTORS.filter(isUser)) {
    sockets.set(actor, hear(USER_OF[actor], (await connect(t, service, USER_OF[actor])).socket))
  }
  for (const userId of ['other', 'two', 'hermit']) hear(userId, (await connect(t, service, userId)).socket)
  await until('the others are there', async () => {
    const online = await Promise.all(PEOPLE.map(service.app.chat.presence.isOnline))
    return online.filter(Boolean).length >= PEOPLE.length - 2
  })

  let fences = 0
  /** Waits until everybody was told what there was to be told up to now; answers it. */
  async function fence({ group }: Ground) {
    fences += 1
    const content = `fence ${fences}`
    const ofFence = ({ event, payload }: (typeof told)[number]) =>
      event === 'new_message' && (payload as { content: string }).content === content
    await service.app.chat.log.append({ chatId: group, senderId: 'owner', content })
    await service.app.chat.log.append({ chatId: grounds.direct, senderId: 'one', content })
    // The owner, an admin, two who are members, the muted and the other in the group; the two of the direct chat.
    await until('the fence is seen', () => told.filter(ofFence).length >= 8)
    for (const socket of sockets.values())
      if (socket.connected) await socket.emitWithAck('unwatch_presence', { userIds: ['nobody'] })
    return told.splice(0).filter((one) => !ofFence(one))
  }
  return { sockets, grounds, fence }
}

type Stage = Awaited<ReturnType<typeof open>>

/** Runs a row: what is refused changes nothing and is told to nobody; what is not refused is answered. */
async function check(
  t: Test,
  service: Service,
  { grounds, fence }: Stage,
  row: { name: CommandName | ResourceName; title: string; calls: Call[]; isOnce: boolean },
  run: Run,
): Promise<void> {
  const { name, title, calls, isOnce } = row
  const ground = await grounds.next()
  await fence(ground)
  const faults: string[] = []
  const look = async (call: Call, { placeOf }: Ground) => {
    const at = placeOf(call.actor)
    const fault = faultOf(name, call.mark, at, await run(call, at))
    if (fault !== undefined) faults.push(`${call.actor} (${call.door}), “${call.mark}”, ${fault}`)
  }
  const refused = calls.filter(({ mark }) => isRefusal(mark))
  const before = await digest(service.app.db.pool)
  await Promise.all(refused.map((call) => look(call, ground)))
  t.same(await digest(service.app.db.pool), before, `${title}: a refusal changes nothing`)
  const told = (await fence(ground)).filter(({ event }) => TRAILS[event] === undefined || TRAILS[event] === name)
  t.same(told, [], `${title}: nobody hears of a refusal`)

  const others = calls.filter(({ mark }) => !isRefusal(mark))
  if (isOnce) for (const call of others) await look(call, await grounds.next())
  else await Promise.all(others.map((call) => look(call, ground)))
  t.same(faults, [], `${title}: ${calls.length} calls`)
}

/** The calls of a row through all doors that there are. */
function callsOf(row: string, doors: (actor: Actor) => Heard['door'][]): Call[] {
  return [...readRow(row)].flatMap(([actor, mark]) =>
    mark === '.' ? [] : doors(actor).map((door) => ({ actor, mark, door })),
  )
}

onEachDatabase('who may do what', async (t, database) => {
  const vapid = webPush.generateVAPIDKeys()
  const settings = {
    chatCreation: 'users',
    web: true,
    demoData: true,
    docs: false,
    metrics: false,
    uploads: 'folder',
    // What is told of unread messages is noted with the members, whenever it comes: in an hour.
    notifyAfterMs: 3_600_000,
    vapidPublicKey: vapid.publicKey,
    vapidPrivateKey: vapid.privateKey,
    vapidSubject: 'mailto:chat@example.com',
  } as const
  const service = await build(t, { ...database, ...settings, users: PEOPLE })
  const stage = await open(t, service)
  for (const hookId of ['stays', 'goes']) {
    await service.app.chat.outbox.putHook(hookId, { url: 'http://127.0.0.1:9/', events: ['member.unread'] })
  }

  await t.test('of the routes', async (t) => {
    for (const name of RESOURCE_NAMES) {
      const [toAsked, row] = ROUTE_ROWS[name]
      const calls = callsOf(row, () => ['REST'])
      const { method, url } = RESOURCES[name]
      await check(t, service, stage, { name, title: `${method} ${url}`, calls, isOnce: false }, ({ actor }, at) =>
        request(service, actor, toRoute(name, toAsked(at))),
      )
    }
  })

  for (const command of COMMAND_NAMES) {
    await t.test(command, async (t) => {
      for (const [title, [toInput, row]] of Object.entries(COMMAND_ROWS[command])) {
        const calls = callsOf(row, (actor) => doorsOf(command, actor))
        const isOnce = ONCE.has(command)
        await check(t, service, stage, { name: command, title, calls, isOnce }, ({ actor, door }, at) =>
          send(service, stage.sockets, { command, actor, door }, toInput(at)),
        )
      }
    })
  }
})

/** A route of the table as it is asked. */
function toRoute(name: ResourceName, asked: Asked) {
  const { userId = '', chatId = '', attachmentId = '', hookId = '', query = '', body } = asked
  const { method, url: pattern }: Resource = RESOURCES[name]
  const url = pattern.replace(':userId', encodeURIComponent(userId)).replace(':attachmentId', attachmentId)
  return {
    method,
    url: url.replace(':chatId', chatId).replace(':hookId', hookId) + query,
    ...(body && { body }),
  }
}
