import type { Stage } from './stage.js'

/** One thing that happens to a client, and the law that it must keep. */
export interface Scenario {
  name: string
  /** The law, in one sentence. */
  law: string
  /** Plays it; throws what is wrong. */
  play(stage: Stage): Promise<void>
}
