import type { UnreadNotice } from '../../../contract/notices.js'
import type { Database } from '../../../services/db/index.js'
import { pick, type Random } from '../../faults/random.js'
import { byKey, createDropped, keyOf } from './dropped.js'
import { type At, decide, type Expected, lastSeq, type Room, type Standing } from './oracle.js'
import { AFTER_MS, createWorld, TICKS_MS, USERS, type World } from './world.js'

export interface PlayOptions {
  db: Database
  isShared: boolean
  random: Random
  steps: number
}

const GRACE_MS = 60_000
/** The steps, and how often each is drawn. */
const OFTEN = { send: 10, read: 6, connect: 4, disconnect: 4, tick: 6, scan: 8, kill: 6 }
const SELDOM = { delete: 1, mute: 1, block: 1, deaf: 1, restart: 0.3 }
/** Statements of a scan, at one of which it is killed. */
const MOST_STATEMENTS = 14
const FOR_GOOD = '9999-01-01T00:00:00Z'

/** Plays random steps, and compares what each scan told with what the model says of it; answers the first fault. */
export async function play({ db, isShared, random, steps }: PlayOptions) {
  const world = await createWorld(db, isShared)
  const { rooms, log, told } = world
  const blocked = new Set<string>()
  const isHere = new Map<string, number>()
  const graceMs = new Map<string, number>()
  const away = new Set(USERS)
  const left = new Set<string>()
  /** Decided by scans that were killed, or told to nobody: they may come whenever. */
  const open = new Map<string, Expected>()
  const dropped = createDropped(rooms)
  const known = new Set<string>()
  let looks: number[] = []
  /** What is decided: up to which look, or null where all chats are compared, from when on. */
  let place: number | null = null
  let compareAt = world.now() + AFTER_MS
  /** What was done, for whoever looks for a fault. */
  const trail: string[] = []
  const done = { steps: 0, told: 0, kills: 0, scans: 0, fault: undefined as string | undefined }

  /** Who is away now, after the store was swept. */
  function settle(): void {
    for (const userId of USERS) {
      const isOnline = (isHere.get(userId) ?? 0) > 0 || (graceMs.get(userId) ?? 0) > world.now()
      if (isOnline) left.delete(userId)
      else if (!away.has(userId)) left.add(userId)
      if (isOnline) away.delete(userId)
      else away.add(userId)
    }
  }

  const member = (): [Room, Standing] => {
    const room = pick(random, rooms)
    return [room, pick(random, [...room.members.values()])]
  }

  const STEPS: Record<string, () => Promise<void>> = {
    async send() {
      const [room, { userId }] = member()
      const dice = random()
      const userIds = [...room.members.keys()].filter(() => random() < 0.3)
      const mentions = dice < 0.1 ? { everyone: true } : { userIds: dice < 0.5 ? userIds : [] }
      const { message } = await log.append({ chatId: room.chatId, senderId: userId, content: 'x', mentions })
      const names = message.mentions.everyone ? ('everyone' as const) : message.mentions.userIds
      room.sent.push({ seq: message.seq, senderId: userId, atMs: world.now(), isDeleted: false, names })
      const mine = room.members.get(userId)
      if (mine) mine.readSeq = message.seq
    },
    async read() {
      const [room, one] = member()
      const upTo = Math.ceil(random() * lastSeq(room.sent))
      if (upTo === 0) return
      await log.markUpTo(one.userId, room.chatId, upTo)
      one.readSeq = Math.max(one.readSeq, upTo)
    },
    async delete() {
      const room = pick(random, rooms)
      const one = room.sent[Math.floor(random() * room.sent.length)]
      if (!one || one.isDeleted) return
      const { messages } = await log.getMessages(null, { chatId: room.chatId, afterSeq: one.seq - 1, limit: 1 })
      await log.delete(one.senderId, messages[0]?.id ?? '')
      one.isDeleted = true
    },
    async mute() {
      const [room, one] = member()
      one.isMuted = !one.isMuted
      await log.setSettings(one.userId, { chatId: room.chatId, mutedUntil: one.isMuted ? FOR_GOOD : null })
    },
    async block() {
      const [userId, other] = [pick(random, USERS), pick(random, USERS)]
      if (userId === other) return
      const key = `${userId} ${other}`
      await log.setBlock(userId, other, !blocked.has(key))
      if (!blocked.delete(key)) blocked.add(key)
    },
    async connect() {
      const userId = pick(random, USERS)
      const id = `${userId}-${world.connections.size}-${done.steps}`
      world.connections.set(id, userId)
      await world.leases().open(userId, id)
      isHere.set(userId, (isHere.get(userId) ?? 0) + 1)
      settle()
    },
    async disconnect() {
      const [id, userId] = pick(random, [...world.connections]) ?? []
      if (id === undefined || userId === undefined) return
      const grace = random() < 0.5 ? GRACE_MS : 0
      world.connections.delete(id)
      await world.leases().close(userId, id, grace)
      isHere.set(userId, (isHere.get(userId) ?? 0) - 1)
      graceMs.set(userId, world.now() + grace)
      settle()
    },
    async tick() {
      await world.tick(pick(random, TICKS_MS))
      settle()
    },
    scan: () => scan({}),
    kill: () => scan({ killAt: (1 + Math.floor(random() * 2 * MOST_STATEMENTS)) / 2 }),
    deaf: () => scan({ deaf: true }),
    async restart() {
      restart()
    },
  }

  function restart(): void {
    world.restart()
    looks = []
    if (isShared) return
    isHere.clear()
    graceMs.clear()
    left.clear()
    for (const userId of USERS) away.add(userId)
    compareAt = world.now() + AFTER_MS
    place = null
  }

  /** Which messages this scan is about. */
  function freshAt(nowMs: number): { fresh: At['fresh']; look: number | undefined } {
    const dueMs = nowMs - AFTER_MS
    if (!isShared) {
      const isAll = place === null
      if (isAll && nowMs < compareAt) return { fresh: null, look: undefined }
      return { fresh: { afterMs: place ?? Number.NEGATIVE_INFINITY, throughMs: dueMs }, look: dueMs }
    }
    looks.push(nowMs)
    const look = looks.filter((at) => at <= dueMs).at(-1)
    if (look === undefined) return { fresh: null, look }
    const isAll = place === null
    return { fresh: { afterMs: place ?? Number.NEGATIVE_INFINITY, throughMs: isAll ? dueMs : look }, look }
  }

  async function scan(how: Parameters<World['scan']>[0]): Promise<void> {
    const nowMs = world.now()
    const { fresh, look } = freshAt(nowMs)
    const at: At = {
      dueMs: nowMs - AFTER_MS,
      fresh,
      isAway: (userId) => away.has(userId),
      hasLeft: (userId) => left.has(userId),
      hasBlocked: (userId, other) => blocked.has(`${userId} ${other}`),
    }
    const must = decide(rooms, at)
    const all = { ...at, hasLeft: () => true }
    const may = byKey(decide(rooms, all))
    const others = dropped.without()
    const without = [byKey(decide(others, at)), byKey(decide(others, all))] as const
    const from = told.length
    const outcome = await world.scan(how)
    done.scans += 1
    const fresh_ = told.slice(from)
    done.told += fresh_.length
    for (const notice of fresh_) judge(notice, [may, without[1]], at)
    if (outcome !== 'killed') {
      left.clear()
      if (look !== undefined) {
        place = look
        looks = looks.filter((one) => one > look)
      }
    }
    if (outcome === 'done') {
      for (const one of must) {
        if (dropped.has(one) && !without[0].has(keyOf(one))) continue
        const standing = rooms.find(({ chatId }) => chatId === one.chatId)?.members.get(one.userId)
        if (!standing || standing.notifiedSeq < one.throughSeq) done.fault ??= `was not told: ${JSON.stringify(one)}`
      }
      const heard = new Set(fresh_.map(keyOf))
      for (const [key, { upToSeq }] of open) if (!heard.has(key)) dropped.add(key, upToSeq)
      open.clear()
      return
    }
    for (const [key, one] of may) open.set(key, one)
    if (outcome === 'killed' || outcome === 'cut') {
      done.kills += 1
      restart()
    }
  }

  /** Whether a notice may be told now. */
  function judge(notice: UnreadNotice, may: Map<string, Expected>[], { dueMs }: At): void {
    const room = rooms.find(({ chatId }) => chatId === notice.chatId)
    const one = room?.members.get(notice.userId)
    const expected = may.map((of) => of.get(keyOf(notice)))
    const fail = (why: string) => {
      const beside = { expected, member: one, dueMs, sent: room?.sent, blocked: [...blocked] }
      done.fault ??= `${why}: ${JSON.stringify({ ...notice, lastMessage: notice.lastMessage?.seq, ...beside })}`
    }
    // What a kill left in doubt comes again as the same.
    if (!room || !one || known.has(notice.noticeId)) return
    known.add(notice.noticeId)
    const { fromSeq, throughSeq } = notice
    if (throughSeq <= one.readSeq) fail('was told of what was read')
    const last = room.sent.find(({ seq }) => seq === throughSeq)
    if (!last || last.atMs > dueMs) fail('was told too early')
    const isOpen = open.has(keyOf(notice))
    const isExpected = expected.some((wanted) => wanted?.fromSeq === fromSeq && wanted.throughSeq >= throughSeq)
    if (fromSeq <= one.notifiedSeq && !isOpen) fail('was told twice')
    if (!isOpen && !isExpected) fail('was told against the rules')
    one.notifiedSeq = throughSeq
    for (const wanted of [...expected, open.get(keyOf(notice))]) if (wanted) dropped.add(keyOf(notice), wanted.upToSeq)
  }

  const bag = Object.entries({ ...OFTEN, ...SELDOM }).flatMap(([name, weight]) =>
    Array<string>(Math.round(weight * 10)).fill(name),
  )
  try {
    while (done.steps < steps && !done.fault) {
      const name = pick(random, bag)
      await STEPS[name]?.()
      trail.push(name)
      done.steps += 1
    }
    // In the end nobody is forgotten: all that is due is told.
    for (let count = 0; count < 4 && !done.fault; count += 1) {
      await scan({})
      await world.tick(TICKS_MS[1] as number)
      settle()
    }
    if (!done.fault) await scan({})
  } finally {
    world.end()
  }
  if (done.fault) done.fault += `\nafter ${trail.join(' ')}`
  return done
}
