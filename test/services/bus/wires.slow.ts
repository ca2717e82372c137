import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Bus, LoggedChange, Written } from '../../../services/bus/index.js'
import { publishProfiles } from '../../../services/bus/profiles.js'
import { until } from '../../helper.js'
import { acquainted, TICK_MS, WIRES, type Wire } from './versions.js'

// The laws of a Bus of many nodes when what lies between them fails: against each version that has something between.

const CHAT = 'c'

/** A message of a chat, under a revision, as its writer publishes it. */
function sent(revision: number, content = 'text', chatId = CHAT): Written {
  const message: LoggedChange['message'] = {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    chatId,
    seq: revision,
    revision,
    sender: { userId: 'alice', name: 'Alice', avatarUrl: null },
    clientMessageId: null,
    content,
    replyToId: null,
    replyToSeq: null,
    attachments: [],
    metadata: { any: ['thing'] },
    mentions: { userIds: [], everyone: false },
    reactions: [],
    pinnedAt: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    editedAt: null,
    deletedAt: null,
  }
  const change: LoggedChange = { chatId, revision, kind: 'message_created', actorId: 'alice', message }
  return { chatId, range: { after: revision - 1, through: revision }, changes: [change] }
}

/** What a node hears: of its changes, of gaps, and of ends. */
function listen(bus: Bus) {
  const heard = { written: [] as Written[], gaps: 0, ends: [] as string[] }
  bus.subscribe('changes', (news) => heard.written.push(...news.filter(({ chatId }) => !chatId.startsWith('hello'))))
  bus.subscribe('ends', ({ userId }) => heard.ends.push(userId))
  bus.onGap(() => {
    heard.gaps += 1
  })
  return heard
}

const through = ({ written }: { written: Written[] }) => Math.max(0, ...written.map(({ range }) => range?.through ?? 0))
const isUp = (bus: Bus) => () => bus.health().ok
const isDown = (bus: Bus) => () => !bus.health().ok
/** So that gaps of before are told, and do not count. */
const calm = () => sleep(1_200)

const LAWS: Record<string, (t: Test, wire: Wire) => Promise<void>> = {
  async 'changes travel whole, and more than a packet of them'(t, { here, there }) {
    const heard = listen(there)
    const all = Array.from({ length: 300 }, (_, i) => sent(i + 1, 'x'.repeat(200)))
    for (const written of all) here.publish('changes', [written])
    await until('all is heard', () => heard.written.length === all.length)
    t.same(heard.written, all)
  },

  async 'profiles travel, however many, and so do the chats of who was deleted'(t, { here, there }) {
    const heard = { userIds: [] as string[], left: [] as string[] }
    there.subscribe('profiles', ({ userIds, left = [] }) => {
      heard.userIds.push(...userIds)
      heard.left.push(...left)
    })
    const ids = Array.from({ length: 300 }, (_, i) => `${i}-${'👍'.repeat(60)}`)
    publishProfiles(here, ids)
    await until('all are heard', () => heard.userIds.length >= ids.length)
    t.same(heard, { userIds: ids, left: [] })
    publishProfiles(here, ['gone'], ids)
    await until('all chats are heard', () => heard.left.length >= ids.length)
    t.same(heard.left, ids)
  },

  async 'what is too large to travel is heard as its range'(t, { here, there }) {
    const own = listen(here)
    const heard = listen(there)
    const joined = Array.from({ length: 2_000 }, (_, i) => `user-${i}-${'ü'.repeat(50)}`)
    here.publish('changes', [sent(1, 'ä'.repeat(1_048_576)), sent(2)])
    here.publish('changes', [{ chatId: CHAT, range: { after: 2, through: 3 }, joined }])
    await until(
      'it is heard',
      () => through(heard) === 3 && heard.written.flatMap(({ joined = [] }) => joined).length === joined.length,
    )
    t.same(heard.written.slice(0, 2), [{ chatId: CHAT, range: { after: 0, through: 1 } }, sent(2)])
    t.same(
      heard.written.flatMap(({ joined = [] }) => joined),
      joined,
      'many ids come in parts',
    )
    t.equal(own.written[0]?.changes?.length, 1, 'on its own node all of it is heard')
  },

  async 'what one node of the version before tells is heard as its range, and no fault'(t, { there, forge, count }) {
    const heard = listen(there)
    const [change] = sent(1).changes ?? []
    const { replyToSeq, mentions, attachments, pinnedAt, ...message } = change?.message ?? {}
    const body = { revision: 1, kind: 'message_created', message }
    const faults = await count('chat_bus_faults_total', 'line')
    await forge(JSON.stringify([1, 'older', 1, [['changes', CHAT, [0, 1], [], [body]]]]))
    await until('it is heard', () => through(heard) === 1)
    t.same(heard.written, [{ chatId: CHAT, range: { after: 0, through: 1 } }])
    t.equal(await count('chat_bus_faults_total', 'line'), faults)
  },

  async 'the trace of a commit travels, and what a newer node adds to a change is passed over, and no fault'(t, wire) {
    const { here, there, forge, count } = wire
    const heard = listen(there)
    const faults = await count('chat_bus_faults_total', 'line')
    const [change] = sent(1).changes ?? []
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
    here.publish('changes', [{ ...sent(1), changes: change ? [{ ...change, trace }] : [] }])
    await until('it is heard', () => through(heard) === 1)
    t.same(heard.written[0]?.changes?.[0]?.trace, trace)
    const { chatId: _, ...body } = { ...change, revision: 2, newer: { any: ['thing'] } }
    await forge(JSON.stringify([1, 'newer', 1, [['changes', CHAT, [1, 2], [], [body]]]]))
    await until('that, too', () => through(heard) === 2)
    t.match(heard.written[1]?.changes, [{ revision: 2, kind: 'message_created', message: { id: change?.message?.id } }])
    t.equal(await count('chat_bus_faults_total', 'line'), faults)
  },

  async 'a node hears nothing of another service'(t, { here, there, join }) {
    const stranger = await join('other')
    const friend = await join('other')
    await acquainted(stranger, friend)
    const heard = [listen(here), listen(there)]
    const strangers = listen(stranger)
    stranger.publish('changes', [sent(1)])
    friend.publish('ends', { userId: 'alice', code: 'DISCONNECTED' })
    here.publish('changes', [sent(2)])
    await until(
      'each service hears its own',
      () => through(heard[1] as typeof strangers) === 2 && strangers.ends.length === 1,
    )
    for (const { written, ends } of heard) t.same([through({ written }), ends], [2, []])
    t.equal(through(strangers), 1)
  },

  async 'what is malformed or forged is dropped, counted, and the database is asked'(t, { there, forge, count }) {
    const heard = listen(there)
    await calm()
    const gaps = heard.gaps
    const id = '01890a5d-ac96-774b-bcce-b302099a8057'
    const body = { ...sent(1).changes?.[0], chatId: undefined }
    const line = (...parts: unknown[]) => JSON.stringify([1, `n${Math.random()}`, 1, [parts]])
    const packets = [
      '',
      '{',
      'null',
      '[]',
      '[1]',
      '[1,"n",1,{}]',
      '[2,"n",1,[]]',
      '[1,"n",-1,[]]',
      '[1,"n",1e999,[]]',
      '[1,7,1,[]]',
      `[1,"${'n'.repeat(65)}",1,[]]`,
    ]
    for (const packet of packets) await forge(packet)
    t.equal(await count('chat_bus_faults_total', 'packet'), 2 * packets.length, 'each of two nodes has counted them')

    const lines: unknown[][] = [
      [],
      [7],
      ['changes', CHAT],
      ['changes', '', [0, 1], [], []],
      ['changes', CHAT, [1, 1], [], []],
      ['changes', CHAT, [0, -1], [], []],
      ['changes', CHAT, [0, 1], [7], []],
      ['end', 'alice', 'NO_CODE', 0, null],
      ['end', 'alice', 'DISCONNECTED', -1, null],
      ['end', 'alice', 'DISCONNECTED', 0, -1],
      ['signal', 'new_message', {}],
      ['signal', 'typing', { chatId: CHAT }],
    ]
    for (const parts of lines) await forge(line(...parts))
    t.equal(await count('chat_bus_faults_total', 'line'), 2 * lines.length)
    t.same([heard.written, heard.ends], [[], []])

    const bodies: unknown[][] = [
      [7],
      [{ ...body, revision: 2 }],
      [{ ...body, message: { ...body.message, chatId: 'another' } }],
      [{ ...body, message: { id } }],
      [body, { ...body, revision: 2 }],
    ]
    for (const wrong of bodies) await forge(line('changes', CHAT, [0, 1], [], wrong))
    await until('the ranges are heard', () => heard.written.length === bodies.length)
    t.same(
      heard.written,
      Array(bodies.length).fill({ chatId: CHAT, range: { after: 0, through: 1 } }),
      'without what is in them',
    )
    await forge(line('a line of a later release', 1))
    t.equal(
      await count('chat_bus_faults_total', 'line'),
      2 * (lines.length + bodies.length),
      'what is only unknown is no fault',
    )
    t.ok(heard.gaps > gaps)
    t.ok(there.health().ok)
  },

  async 'a packet that comes again is heard once, and one that is missing is a gap'(t, { there, forge, count }) {
    const heard = listen(there)
    const packet = (number: number, ...lines: unknown[]) => JSON.stringify([1, 'a-node', number, lines])
    const change = (revision: number) => ['changes', CHAT, [revision - 1, revision], [], []]
    // What was said before the two knew of each other is one, too.
    const before = await count('chat_bus_gaps_total', 'hole')
    const holes = async () => (await count('chat_bus_gaps_total', 'hole')) - before
    await forge(packet(0))
    await forge(packet(1, change(1)))
    await forge(packet(1, change(1)))
    await forge(packet(2, change(2)))
    await until('both are heard', () => through(heard) === 2)
    t.same([heard.written.length, await holes()], [2, 0])
    await forge(packet(4, change(4)))
    t.equal(await holes(), 2, 'both nodes miss the third')
    await forge(packet(5))
    t.equal(await holes(), 4, 'and the fifth, which was the last')
    t.equal(through(heard), 4)
    await until('there was a gap', () => heard.gaps > 0)
  },

  async 'when connections are cut, all hear of a gap, and then of each other again'(t, { here, there, cut }) {
    const heard = [listen(here), listen(there)]
    await calm()
    const gaps = heard.map((each) => each.gaps)
    await cut()
    await until('there is a gap', () => heard.every((each, i) => each.gaps > (gaps[i] ?? 0)))
    await until('both are back', () => here.health().ok && there.health().ok)
    await acquainted(here, there)
    here.publish('changes', [sent(1)])
    there.publish('changes', [sent(2)])
    await until('each hears the other', () => heard.every(({ written }) => written.length === 2))
    t.pass('they are well')
  },

  async 'while the server is away a node goes on, and what it said is heard when it is back'(t, wire) {
    const { here, there, kill, restart } = wire
    const [own, heard] = [listen(here), listen(there)]
    await kill()
    await until('it is said', () => isDown(here)() && isDown(there)())
    const gaps = heard.gaps
    for (let i = 1; i <= 1_000; i += 1) here.publish('changes', [sent(i)])
    here.publish('ends', { userId: 'alice', code: 'DISCONNECTED' })
    t.equal(own.written.length, 1_000, 'its own node hears at once')
    await until('the database is asked, again and again', () => heard.gaps >= gaps + 2)
    await restart()
    await until('both are back', () => isUp(here)() && isUp(there)())
    // Who is back later than the speaker reads the log; what does not stand there is said again.
    await until('whose sockets end is heard', () => heard.ends.length > 0)
    here.publish('changes', [sent(1_001)])
    await until('and what comes', () => through(heard) === 1_001)
    t.same(heard.written.at(-1), sent(1_001))
    t.same([...new Set(heard.ends)], ['alice'])
  },

  async 'a server that does not answer holds nobody up'(t, wire) {
    const { here, there, pause, resume } = wire
    const heard = listen(there)
    const COUNT = 50_000
    pause()
    try {
      let slowest = 0
      const startedAt = performance.now()
      for (let i = 1; i <= COUNT; i += 1) {
        const at = performance.now()
        here.publish('changes', [sent(i, 'x'.repeat(500), `chat-${i % 10}`)])
        slowest = Math.max(slowest, performance.now() - at)
        if (i % 1_000 === 0) await new Promise(setImmediate)
      }
      const took = performance.now() - startedAt
      t.comment(`${COUNT} in ${Math.round(took)} ms, the slowest ${slowest.toFixed(1)} ms`)
      t.ok(took < 10_000, 'it is as fast as ever')
      await until('it is said', () => isDown(here)() && isDown(there)())
    } finally {
      heard.gaps = 0
      resume()
    }
    await until('both are back', () => isUp(here)() && isUp(there)())
    const newest = () => new Map(heard.written.map(({ chatId, range }) => [chatId, range?.through]))
    // Who comes back later than the other sends has missed it, and is told so.
    await until('where each chat stands is heard, or that it was missed', () => {
      const stands = newest()
      return (
        heard.gaps > 0 ||
        Array.from({ length: 10 }, (_, i) => stands.get(`chat-${i}`)).every((at) => (at ?? 0) > COUNT - 10)
      )
    })
    await until('there was a gap', () => heard.gaps > 0)
  },

  async 'a node that is not heard of any more is a gap, and one that takes its leave is none'(t, wire) {
    const { here, there, forge, join } = wire
    const guest = await join()
    await acquainted(here, guest)
    const heard = listen(there)
    await calm()
    let gaps = heard.gaps
    await guest.stop()
    await sleep(12 * TICK_MS)
    t.equal(heard.gaps, gaps, 'who has said so is gone')
    await forge(JSON.stringify([1, 'a-node', 0, []]))
    await calm()
    gaps = heard.gaps
    await until('who has not may be cut off', () => heard.gaps > gaps)
  },

  async 'alone, a node sends no more than a sign of life, and says so to who comes'(t, wire) {
    const alone = await wire.join('other')
    alone.publish('changes', [sent(1)])
    const newcomer = await wire.join('other')
    const heard = listen(newcomer)
    await until('who comes hears that it has missed something', () => heard.gaps > 0)
    await acquainted(alone, newcomer)
    alone.publish('changes', [sent(2)])
    await until('and then all', () => through(heard) === 2)
    t.same(heard.written, [sent(2)])
  },
}

for (const [version, { start, needs }] of Object.entries(WIRES)) {
  t.test(version, needs, async (t) => {
    const open = await start(t)
    for (const [law, check] of Object.entries(LAWS)) {
      await t.test(law, async (t) => check(t, await open(t)))
    }
  })
}
