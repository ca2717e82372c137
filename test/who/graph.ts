import fc from 'fast-check'
import type { ChosenStatus } from '../../contract/words.js'

/** So many users; the next number is somebody who never was one. */
export const PEOPLE = 6
export const GHOST = PEOPLE
/** How many may be in a chat along which presence is told. */
export const MAX_MEMBERS = 3

/** What is known of whom at some moment, in plain numbers: who is where, who blocks whom, who is how. */
export interface Graph {
  groups: { members: Set<number>; banned: Set<number> }[]
  /** By the pair, in order. */
  directs: Map<string, Set<number>>
  /** Who → whom. */
  blocks: Set<string>
  deleted: Set<number>
  chosen: ChosenStatus[]
  devices: number[]
}

/** How somebody looks. */
export interface Look {
  isOnline: boolean
  status: string
}

export const same = (a: Look | undefined, b: Look) => a?.isOnline === b.isOnline && a.status === b.status

export const OFFLINE: Look = { isOnline: false, status: 'offline' }

const pairOf = (a: number, b: number): string => [...new Set([a, b])].sort((x, y) => x - y).join()
const arrow = (a: number, b: number) => `${a}>${b}`
export const areApart = ({ blocks }: Graph, a: number, b: number) => blocks.has(arrow(a, b)) || blocks.has(arrow(b, a))

/** The law: oneself, and people in a chat with one, neither of whom has blocked the other. */
export const isVisible = (graph: Graph, viewer: number, user: number): boolean =>
  viewer === user || (sharesChat(graph, viewer, user) && !areApart(graph, viewer, user))

/** Whether two are in one chat. */
export const sharesChat = (graph: Graph, a: number, b: number): boolean =>
  chatsOf(graph).some(({ members }) => members.has(a) && members.has(b))

/** Whether two share a chat that is small enough for presence to be told along it; a direct chat is of two, whoever is there. */
export function isTold(graph: Graph, viewer: number, user: number): boolean {
  return chatsOf(graph).some(
    ({ members, isDirect }) => members.has(viewer) && members.has(user) && (isDirect || members.size <= MAX_MEMBERS),
  )
}

function chatsOf({ groups, directs }: Graph): { members: Set<number>; isDirect: boolean }[] {
  const pairs = [...directs.values()].map((members) => ({ members, isDirect: true }))
  return [...groups.map(({ members }) => ({ members, isDirect: false })), ...pairs]
}

/** How somebody is in truth, and how they look to those who may know. */
export function truthOf({ devices, chosen }: Graph, user: number): Look {
  const status = chosen[user] === 'invisible' ? 'online' : (chosen[user] ?? 'offline')
  return devices[user] ? { isOnline: true, status } : OFFLINE
}

export const lookOf = (graph: Graph, user: number): Look =>
  graph.chosen[user] === 'invisible' ? OFFLINE : truthOf(graph, user)

/** A copy that the next step does not touch. */
export const copyOf = (graph: Graph): Graph => structuredClone(graph)

/** A step, and whether it may change who shares a chat with whom. */
export type Step =
  | { kind: 'connect'; user: number; watches: boolean }
  | { kind: 'disconnect' | 'logout' | 'delete' | 'revive'; user: number }
  | { kind: 'presence'; user: number; status: ChosenStatus }
  | { kind: 'block' | 'unblock' | 'direct'; user: number; other: number }
  | { kind: 'add' | 'remove' | 'ban' | 'unban' | 'leave'; user: number; group: number }

export const GROUPS = 3
const user = fc.nat(PEOPLE - 1)
const anybody = fc.nat(GHOST)
/** Mostly of few: of large ones everybody knows everybody. */
const members = fc.oneof(
  { weight: 4, arbitrary: fc.uniqueArray(user, { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.uniqueArray(user, { minLength: MAX_MEMBERS, maxLength: PEOPLE }) },
)
const group = fc.nat(GROUPS - 1)
const status = fc.constantFrom<ChosenStatus>('online', 'away', 'dnd', 'invisible')

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect' as const), user, watches: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('disconnect' as const, 'logout' as const), user }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'revive' as const), user }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('presence' as const), user, status }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('block' as const, 'unblock' as const), user, other: anybody }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('direct' as const), user, other: anybody }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('add', 'remove', 'ban', 'unban', 'leave'), user, group }),
  },
)

/** Where a graph begins, and what happens then. */
export const anyCase = fc.record({
  groups: fc.array(members, { minLength: GROUPS, maxLength: GROUPS }),
  directs: fc.array(fc.tuple(user, anybody), { maxLength: 3 }),
  blocks: fc.array(fc.tuple(user, anybody), { maxLength: 4 }),
  here: fc.array(fc.record({ user, watches: fc.boolean() }), { minLength: 2, maxLength: 6, size: 'max' }),
  invisible: fc.uniqueArray(user, { maxLength: 2 }),
  steps: fc.array(anyStep, { maxLength: 14, size: 'max' }),
})
export type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never

/** The steps of a case, from an empty graph of groups on. */
export function stepsOf({ directs, blocks, here, invisible, steps }: Case): Step[] {
  return [
    ...directs.map(([user, other]): Step => ({ kind: 'direct', user, other })),
    ...invisible.map((user): Step => ({ kind: 'presence', user, status: 'invisible' })),
    ...here.map((one): Step => ({ kind: 'connect', ...one })),
    ...blocks.map(([user, other]): Step => ({ kind: 'block', user, other })),
    ...steps,
  ]
}

/** Whether a step can be taken: who is deleted takes none, and nobody goes who is not here. */
export function canBe(graph: Graph, step: Step): boolean {
  const { user, kind } = step
  if (kind === 'revive') return graph.deleted.has(user)
  if (graph.deleted.has(user)) return false
  if (kind === 'disconnect' || kind === 'logout') return (graph.devices[user] ?? 0) > 0
  if (step.kind === 'leave') return graph.groups[step.group]?.members.has(user) ?? false
  if (step.kind === 'add') return !graph.groups[step.group]?.banned.has(user)
  if (step.kind === 'block') return step.other !== user
  if (step.kind === 'direct') return !areApart(graph, user, step.other)
  return true
}

/** When somebody has gone from a group, one who stays and is here is another than before: news that only those who stay may hear. */
export function echoOf(graph: Graph, step: Step): Step[] {
  if (step.kind !== 'remove' && step.kind !== 'ban' && step.kind !== 'leave') return []
  const [user] = [...(graph.groups[step.group]?.members ?? [])].filter((one) => graph.devices[one])
  return user === undefined ? [] : [{ kind: 'presence', user, status: graph.chosen[user] === 'away' ? 'dnd' : 'away' }]
}

/** Takes a step that can be. */
export function take(graph: Graph, step: Step): void {
  const { user } = step
  if (step.kind === 'connect') graph.devices[user] = (graph.devices[user] ?? 0) + 1
  else if (step.kind === 'disconnect' || step.kind === 'logout') graph.devices[user] = (graph.devices[user] ?? 0) - 1
  else if (step.kind === 'presence') graph.chosen[user] = step.status
  else if (step.kind === 'block') graph.blocks.add(arrow(user, step.other))
  else if (step.kind === 'unblock') graph.blocks.delete(arrow(user, step.other))
  else if (step.kind === 'revive') graph.deleted.delete(user)
  else if (step.kind === 'delete') {
    graph.deleted.add(user)
    graph.devices[user] = 0
    for (const { members } of chatsOf(graph)) members.delete(user)
  } else if (step.kind === 'direct') {
    const founders = [user, step.other].filter((one) => one !== GHOST && !graph.deleted.has(one))
    const key = pairOf(user, step.other)
    graph.directs.set(key, new Set([...(graph.directs.get(key) ?? []), ...founders]))
  } else if ('group' in step) {
    const at = graph.groups[step.group]
    if (step.kind === 'add') at?.members.add(user)
    else if (step.kind === 'unban') at?.banned.delete(user)
    else at?.members.delete(user)
    if (step.kind === 'ban') at?.banned.add(user)
  }
}
