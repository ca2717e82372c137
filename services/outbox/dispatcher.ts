import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, Written } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { createLead } from '../db/lead.js'
import type { Net } from '../log/net.js'
import type { Found } from '../log/recent.js'
import type { Logger } from '../logger.js'
import type { Status, Target } from './hooks.js'
import { createTeller, type Teller, type TellerOptions } from './teller.js'

export interface DispatcherOptions extends Omit<TellerOptions, 'signal'> {
  db: Pick<Database, 'connection' | 'schema' | 'embedded'>
  bus: Pick<Bus, 'subscribe' | 'onGap'>
  net?: Pick<Net, 'onFound' | 'onGap'> | undefined
  targets(): Promise<Target[]>
  keep(statuses: Status[]): Promise<void>
  /** Takes away what is kept of hooks that are no more. */
  sweep(): Promise<void>
  logger: Logger
}

/** How often the node that tells looks at the hooks, and how often the others look whether there are any. */
const LOOK_MS = 1_000
const IDLE_LOOK_MS = 10_000
/** How often what is told of hooks is kept for those who ask. */
const KEEP_MS = 2_000
/** How often all is compared: where everything that is committed is heard of, and where other hands may write unheard. */
const COMPARE_MS = 600_000
const UNHEARD_COMPARE_MS = 60_000
const LAST_WAIT_MS = 2_000

/**
 * Has one node of all tell the hooks. Laws: what a hook lags behind is found by comparing heads with positions, at the start, after a handover, where something
 * may not have been heard, and again and again; what the bus and the net tell only makes that sooner. The send path knows nothing of it.
 */
export function createDispatcher(options: DispatcherOptions) {
  const { db, bus, net, targets, keep, sweep, logger } = options
  const compareMs = net || db.embedded ? COMPARE_MS : UNHEARD_COMPARE_MS
  const tellers = new Map<string, Teller>()
  const lead = createLead(db, { what: 'hooks', onWon: begin, onLost: end })
  let ending: AbortController | undefined
  let subscriptions: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let keptAtMs = 0
  let comparedAtMs = 0
  let kept = ''
  let isLooking = false
  let isStopped = false

  function begin(): void {
    ending = new AbortController()
    comparedAtMs = performance.now()
    lookedAtMs = Number.NEGATIVE_INFINITY
    subscriptions = [
      bus.subscribe('changes', hear),
      net?.onFound(hearFound) ?? (() => {}),
      (net ?? bus).onGap(compareAll),
    ]
    logger.info({}, 'this node tells the hooks')
    void sweep().catch(() => {})
    void look()
  }

  function end(): void {
    for (const unsubscribe of subscriptions) unsubscribe()
    subscriptions = []
    ending?.abort()
    ending = undefined
    tellers.clear()
    if (!isStopped) logger.warn({}, 'this node no longer tells the hooks')
  }

  function hear(written: Written[]): void {
    for (const { chatId, range } of written) {
      for (const teller of tellers.values()) teller.hear(chatId, range?.through ?? null, range?.after)
    }
  }

  function hearFound({ heads }: Found): void {
    for (const [chatId, head] of heads) {
      for (const teller of tellers.values()) teller.hear(chatId, head)
    }
  }

  function compareAll(): void {
    comparedAtMs = performance.now()
    for (const teller of tellers.values()) teller.compare()
  }

  /** Looks at the hooks, and has what waited go on. */
  async function look(): Promise<void> {
    if (isLooking || isStopped) return
    isLooking = true
    const now = performance.now()
    try {
      if (ending ? now - lookedAtMs >= LOOK_MS / 2 : now - lookedAtMs >= IDLE_LOOK_MS && !db.embedded)
        await readTargets()
      if (ending && now - comparedAtMs > compareMs) compareAll()
      if (ending && now - keptAtMs > KEEP_MS) await keepStatuses()
    } catch (error) {
      if (!isStopped) logger.debug({ err: error }, 'the hooks could not be looked at')
    }
    for (const teller of tellers.values()) teller.tick()
    isLooking = false
  }

  async function readTargets(): Promise<void> {
    const all = await targets()
    lookedAtMs = performance.now()
    if (isStopped) return
    if (all.length > 0) lead.start()
    if (!ending) return
    const { signal } = ending
    const keys = new Set(all.map(({ key }) => key))
    for (const [key, teller] of tellers) {
      if (keys.has(key)) continue
      teller.stop()
      tellers.delete(key)
    }
    for (const target of all) {
      const teller = tellers.get(target.key)
      if (teller) teller.update(target)
      else tellers.set(target.key, createTeller(target, { ...options, signal }))
    }
  }

  async function keepStatuses(): Promise<void> {
    keptAtMs = performance.now()
    const statuses = [...tellers.values()].map((teller) => teller.status())
    const text = JSON.stringify(statuses)
    if (text === kept || statuses.length === 0) return
    await keep(statuses)
    kept = text
  }

  return {
    /** Looks for hooks from now on. */
    start(): void {
      timer = setInterval(() => void look(), LOOK_MS).unref()
      void look()
    },

    /** Hooks were made or changed on this node. */
    async kick(): Promise<void> {
      while (isLooking && !isStopped) await sleep(5)
      if (isStopped) return
      isLooking = true
      await readTargets().catch(() => {
        lookedAtMs = Number.NEGATIVE_INFINITY
      })
      isLooking = false
    },

    /** A hook was deleted on this node: nothing more is told it. The next look takes its teller away. */
    drop(key: string): void {
      tellers.get(key)?.stop()
    },

    /** Whether this node tells the hooks. */
    isLeading: () => ending !== undefined,

    /** What is told of each hook here, by its id. */
    statuses: () => [...tellers.values()].map((teller) => ({ id: teller.id(), ...teller.status() })),

    sizes: () => {
      const all = [...tellers.values()].map((teller) => teller.sizes())
      const sum = (of: 'lagging' | 'told') => all.reduce((total, sizes) => total + sizes[of], 0)
      return { tellers: tellers.size, lagging: sum('lagging'), told: sum('told') }
    },

    /** Begins nothing more, waits a moment for what is under way, and lets another node tell the hooks. */
    async stop(): Promise<void> {
      isStopped = true
      clearInterval(timer)
      for (const teller of tellers.values()) teller.stop()
      const idle = Promise.all([...tellers.values()].map((teller) => teller.idle()))
      await Promise.race([idle, sleep(LAST_WAIT_MS, undefined, { ref: false })])
      await keepStatuses().catch(() => {})
      await lead.stop()
    },
  }
}
