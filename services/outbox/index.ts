import type { Static } from '@sinclair/typebox'
import { invalid } from '../../contract/errors.js'
import type { Hook, HookBody, ReplayBody } from '../../contract/hooks.js'
import { HOOK_NOTICES, type HookNotice } from '../../contract/words.js'
import type { Bus } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { createHeads } from '../log/heads.js'
import type { Log } from '../log/index.js'
import type { Net } from '../log/net.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { mustNotBePrivate } from './addresses.js'
import { createDispatcher } from './dispatcher.js'
import { createHooks } from './hooks.js'
import { createMover } from './mover.js'
import { createNotices } from './notices.js'
import { createPages } from './pages.js'
import { createPositions } from './positions.js'
import { createPoster } from './post.js'

export interface OutboxOptions {
  db: Database
  log: Pick<Log, 'sync' | 'getReport'>
  bus: Pick<Bus, 'subscribe' | 'onGap'>
  net?: Pick<Net, 'onFound' | 'onGap'> | undefined
  /** Whether hooks may be at addresses of one's own network, and at plain http. */
  allowPrivate: boolean
  /** The hook of the settings; of its secrets each signs, the first by name. */
  own?: { url: string; secrets: string[] } | undefined
  logger: Logger
  metrics?: Metrics
}

export type Outbox = ReturnType<typeof createOutbox>

/** The id of the hook that the settings name. */
const OWN_HOOK = 'settings'

/**
 * The Outbox: what the main API is told by POST. Law: a hook receives each chat's revisions in order, each at least once, in contiguous ranges, whatever
 * dies between; the numbers prove it.
 */
export function createOutbox({ db, log, bus, net, allowPrivate, own, logger, metrics }: OutboxOptions) {
  const hooks = createHooks(db)
  const awaited = new Map<HookNotice, () => void>()
  const positions = createPositions(db)
  const notices = createNotices(db, log)
  const poster = createPoster({ allowPrivate })
  const mover = createMover({ move: positions.move, logger })
  const dispatcher = createDispatcher({
    ...{ db, bus, net, positions, mover, notices, poster, logger },
    readPages: createPages(log),
    targets,
    keep: hooks.tell,
    sweep: hooks.sweep,
    disable: hooks.disable,
    ...(metrics && { metrics }),
  })

  async function targets() {
    const all = await hooks.targets()
    for (const name of HOOK_NOTICES) {
      const begin = awaited.get(name)
      if (!begin || !all.some(({ events }) => events.has(name))) continue
      awaited.delete(name)
      begin()
    }
    return all
  }

  function mustBeAllowed(url: string): void {
    if (!URL.canParse(url)) throw invalid({ path: '/url', message: 'must be an http(s) URL' })
    if (allowPrivate) return
    try {
      mustNotBePrivate(new URL(url))
    } catch {
      throw invalid({ path: '/url', message: 'must not name a private address, unless WEBHOOK_PRIVATE is set' })
    }
    if (!url.startsWith('https:'))
      throw invalid({ path: '/url', message: 'must be https, unless WEBHOOK_PRIVATE is set' })
  }

  return {
    ...createHeads({ db, logger }),
    listHooks: hooks.list,
    getHook: hooks.get,

    /** Makes a hook, which is told what is committed from now on, or changes it. */
    async putHook(hookId: string, input: Static<typeof HookBody>): Promise<{ hook: Hook; created: boolean }> {
      mustBeAllowed(input.url)
      const put = await hooks.put(hookId, input)
      void dispatcher.kick()
      return put
    },

    /** Deletes a hook: from the answer on it is told nothing by this node, and a second later by none. */
    async deleteHook(hookId: string): Promise<void> {
      dispatcher.drop(await hooks.delete(hookId))
    },

    /** Has a hook told again what it was told, of one chat or of all. */
    async replay(hookId: string, input: Static<typeof ReplayBody>): Promise<Hook> {
      const hook = await hooks.replay(hookId, input)
      void dispatcher.kick()
      return hook
    },

    /** Has the hooks told that want to hear of something that is in no chat's log, at least once. */
    async queue(type: HookNotice, data: Record<string, unknown>): Promise<void> {
      if ((await notices.queue(type, data)) > 0) void dispatcher.kick()
    },

    /** Says once that a hook wants to hear of something: what makes it may begin. A hook made on another node is seen within ten seconds. */
    whenWanted(type: HookNotice, begin: () => void): void {
      awaited.set(type, begin)
    },

    /** Tells from now on. */
    async start(): Promise<void> {
      if (own) {
        const [secret, oldSecret = ''] = own.secrets
        await hooks.put(OWN_HOOK, { url: own.url, oldSecret, ...(secret !== undefined && { secret }) })
      } else if (await hooks.get(OWN_HOOK).catch(() => null)) {
        logger.warn(
          { hook: OWN_HOOK },
          `WEBHOOK_URL is no longer set, and its hook is still told: DELETE /hooks/${OWN_HOOK} ends that`,
        )
      }
      dispatcher.start()
      // What other nodes make, they tell; on the embedded database there are none, and what was made before is found here.
      await dispatcher.kick()
    },

    isLeading: dispatcher.isLeading,
    statuses: dispatcher.statuses,
    sizes: dispatcher.sizes,

    async stop(): Promise<void> {
      await dispatcher.stop()
      mover.stop()
      poster.stop()
    },
  }
}
