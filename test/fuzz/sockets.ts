import { setTimeout as sleep } from 'node:timers/promises'
import { createTally } from './answers.js'
import type { Arena } from './arena.js'
import { type Case, readCorpus } from './cases.js'
import { type Frame, type Step, scriptOf } from './frames.js'
import { createPlayer } from './player.js'
import { USER_IDS } from './world.js'

const PLAYERS = 24

const frameOf = (frame: string | { binary: string }): Frame =>
  typeof frame === 'string' ? frame : Buffer.from(frame.binary, 'base64')

/** What once failed over sockets, over both transports. */
function corpus(): { isPolling: boolean; steps: Step[] }[] {
  const scripts = readCorpus().flatMap(({ frames }) =>
    frames ? [{ frames: frames.map(frameOf), as: 'frames' as const }] : [],
  )
  return [false, true].map((isPolling) => ({ isPolling, steps: scripts }))
}

/** Live sockets: each case is one client with a hundred events of its own. */
export async function fuzzSockets(arena: Arena, cases: Case[]) {
  const tally = createTally()
  let next = 0

  async function run(player: number): Promise<void> {
    const userId = USER_IDS[player % USER_IDS.length] as string
    for (let one = cases[next++]; one; one = cases[next++]) {
      const current = one
      arena.begin(current)
      const play = createPlayer({
        url: arena.url,
        userId,
        tally,
        fail: (law, what) => arena.fail(law, what, [current]),
      })
      await play(scriptOf(current, arena.messageIds)).catch((error) =>
        arena.fail('a case can be played', String(error), [current]),
      )
      arena.finish(current)
      if (arena.isOver()) return
    }
  }

  const known = createPlayer({
    url: arena.url,
    userId: USER_IDS[0] as string,
    tally,
    fail: (law, what) => arena.fail(law, `corpus: ${what}`, []),
  })
  for (const script of corpus()) await known(script)
  await Promise.all(Array.from({ length: PLAYERS }, (_, player) => run(player)))
  await sleep(200)
  return tally
}
