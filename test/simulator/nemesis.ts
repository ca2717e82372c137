import type { createPost } from './carrier.js'
import type { Device } from './device.js'
import type { Faults } from './faults.js'
import type { Node } from './node.js'
import type { Owner } from './scheduler.js'
import type { World } from './world.js'

export interface NemesisOptions {
  world: World
  post: ReturnType<typeof createPost>
  devices: Device[]
  kill(owner: Owner): void
}

const STOP_WITHIN_MS = 10_000
const RETRY_MS = 500
const PAUSES_MS = [300, 3_000, 20_000]
/** Of ends and calls between which a doomed node dies. */
const DOOM = 12

/** Who does all that goes wrong, and what people and administrators do. */
export function createNemesis({ world, post, devices, kill }: NemesisOptions) {
  const { scheduler, faults, store, laws } = world
  const { random } = scheduler
  const counts: Record<string, number> = {}
  const stopping = new Set<Owner>()

  /** Has something happen again and again, as long as its time in the faults is not 0. */
  function often(key: keyof Faults, what: string, run: () => void): void {
    const ms = Number(faults[key])
    if (ms === 0) return
    scheduler.after(null, -Math.log(1 - random.next()) * ms, what, () => {
      if (faults[key] === 0) return
      run()
      often(key, what, run)
    })
  }

  function count(what: string): void {
    counts[what] = (counts[what] ?? 0) + 1
  }

  function withNode(run: (node: Node) => void): void {
    const alive = world.alive()
    if (alive.length > 0) run(random.pick(alive))
  }

  function crash({ owner }: Node): void {
    count('crashes')
    if (random.chance(0.5)) kill(owner)
    else owner.doom = 1 + random.below(DOOM)
  }

  function stop(node: Node): void {
    const { owner } = node
    if (stopping.has(owner)) return
    stopping.add(owner)
    count('stops')
    scheduler.after(owner, 0, 'SIGTERM', () => {
      const end = () => {
        scheduler.after(owner, 0, 'exit', () => kill(owner))
      }
      node.stop().then(end, (error) => laws.breach(11, `${node.name} does not stop: ${error}`))
    })
    scheduler.after(null, STOP_WITHIN_MS, 'SIGKILL', () => kill(owner))
  }

  function pause({ owner }: Node): void {
    if (owner.isPaused) return
    count('pauses')
    owner.isPaused = true
    scheduler.after(null, random.next() * random.pick(PAUSES_MS), `${owner.name} goes on`, () => wake(owner))
  }

  function wake(owner: Owner): void {
    if (!owner.isPaused) return
    laws.excuse(owner)
    scheduler.resume(owner)
  }

  function administer(node: Node): void {
    const userId = random.pick([...store.users.keys()])
    const chat = random.pick([...store.chats.values()])
    const what = random.next()
    const { log, sessions, owner } = node
    const ignore = () => {}
    scheduler.after(owner, random.delay(1), 'an administrator', () => {
      if (what < 0.35) node.command(() => log.removeMember(chat.id, null, userId)).catch(ignore)
      else if (what < 0.7) node.command(() => log.addMembers(chat.id, null, [userId])).catch(ignore)
      else if (what < 0.9) {
        node.command(() => log.updateChat(null, { chatId: chat.id, title: `title ${random.below(9)}` })).catch(ignore)
      } else if (what < 0.95) {
        // Who asks is not answered, and does not ask again: what was committed, the net finds. Without it they must.
        const again = () =>
          faults.hasNet || scheduler.after(null, random.delay(RETRY_MS), 'a revocation again', () => withNode(revoke))
        const revoke = (on: Node) => {
          const ask = () =>
            on.command(() => on.users.revokeTokens(userId)).then(() => on.sessions.end(userId, 'TOKEN_REVOKED'), again)
          scheduler.after(on.owner, random.delay(1), 'a revocation', () => void ask())
        }
        revoke(node)
      } else {
        sessions.end(userId, 'DISCONNECTED')
        if (faults.hasNet) laws.cutOff(userId, owner)
      }
    })
  }

  function goAway(): void {
    count('bus away')
    post.away()
    scheduler.after(null, random.delay(5_000), 'the bus is back', post.back)
  }

  function loseDatabase(): void {
    count('database away')
    world.isDatabaseAway = true
    if (random.chance(0.3)) {
      count('database crashes')
      store.crash()
    }
    scheduler.after(null, random.delay(3_000), 'the database is back', () => {
      world.isDatabaseAway = false
    })
  }

  function loseNet(): void {
    count('net away')
    world.isNetAway = true
    scheduler.after(null, random.delay(10_000), 'the net is back', () => {
      world.isNetAway = false
    })
  }

  return {
    counts,

    start(): void {
      often('crashMs', 'a crash', () => withNode(crash))
      often('stopMs', 'a stop', () => withNode(stop))
      often('pauseMs', 'a pause', () => withNode(pause))
      often('cutMs', 'a cut', () => {
        count('cuts')
        post.cut(random.chance(0.3))
      })
      often('busAwayMs', 'the bus goes', goAway)
      often('netAwayMs', 'the net goes', loseNet)
      often('dbAwayMs', 'the database goes', loseDatabase)
      often('dropMs', 'a device goes', () => random.pick(devices).drop())
      often('adminMs', 'an administrator comes', () => withNode(administer))
      for (const device of devices) often('deviceMs', `${device.name} acts`, device.act)
    },

    /** Nothing goes wrong any more, and what has gone wrong is over. */
    stop(): void {
      faults.deviceMs = 0
      world.isDatabaseAway = false
      world.isNetAway = false
      post.back()
      for (const { owner } of world.alive()) {
        owner.doom = 0
        wake(owner)
      }
    },
  }
}
