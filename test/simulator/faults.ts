import type { Random } from './random.js'

/** What goes wrong in a run: chances of each thing, and how long it is as a rule between two of what happens at times; 0: never. */
export interface Faults {
  /** Nodes, users, devices of each user, chats. */
  nodes: number
  users: number
  devices: number
  chats: number
  /** How long the database takes for a statement, and its answer; how often it refuses one, loses an answer, or takes seconds. */
  dbMs: number
  dbRefuses: number
  dbLoses: number
  dbStalls: number
  /** The same of the bus, packet by packet; and how large one may be. */
  busMs: number
  busLoses: number
  busRepeats: number
  busSwaps: number
  busBytes: number
  leasesRefuse: number
  /** Whether nodes look in the database for what the bus has lost; without that the bus alone must do. */
  hasNet: boolean
  /** Times between, in milliseconds. */
  crashMs: number
  stopMs: number
  pauseMs: number
  cutMs: number
  busAwayMs: number
  dbAwayMs: number
  netAwayMs: number
  dropMs: number
  /** Between two things that a device, or an administrator, does. */
  deviceMs: number
  adminMs: number
}

const HARSH = 0.2
const HARSHER = 8

/** Faults of a run: of each seed other ones, for what is always there hides what is rare. */
export function drawFaults(random: Random): Faults {
  /** Some faults are so frequent in some seeds that what needs several of them at once happens. */
  const harshly = () => (random.chance(HARSH) ? HARSHER : 1)
  const maybe = (value: number, odds = 0.5) => (random.chance(odds) ? value * (0.3 + random.next()) * harshly() : 0)
  const often = (ms: number, odds = 0.5) => (random.chance(odds) ? (ms * (0.3 + random.next())) / harshly() : 0)
  const busMs = random.pick([0.5, 3, 30])
  return {
    nodes: 2 + random.below(3),
    users: 3 + random.below(4),
    devices: 1 + random.below(2),
    chats: 1 + random.below(3),
    dbMs: random.pick([0.5, 2, 20]),
    dbRefuses: maybe(0.02),
    dbLoses: maybe(0.02),
    dbStalls: maybe(0.005),
    busMs,
    busLoses: maybe(0.05),
    busRepeats: maybe(0.05),
    busSwaps: maybe(0.05),
    // One packet is under way at a time: on a slow bus small ones carry less than is told.
    busBytes: busMs > 10 ? 65_536 : random.pick([700, 7_500, 65_536]),
    leasesRefuse: maybe(0.01),
    hasNet: random.chance(0.5),
    crashMs: often(20_000),
    stopMs: often(40_000, 0.3),
    pauseMs: often(15_000),
    cutMs: often(8_000),
    busAwayMs: often(40_000),
    dbAwayMs: often(40_000),
    netAwayMs: often(30_000),
    dropMs: often(3_000, 0.7),
    deviceMs: random.pick([30, 100, 400, 3_000]),
    adminMs: random.pick([20, 100, 500, 5_000]),
  }
}

const CALM_MS = 3

/** The end of all that goes wrong; what was slow is quicker. */
export function calm(faults: Faults): void {
  const none = {
    dbRefuses: 0,
    dbLoses: 0,
    dbStalls: 0,
    busLoses: 0,
    busRepeats: 0,
    busSwaps: 0,
    leasesRefuse: 0,
    crashMs: 0,
    stopMs: 0,
    pauseMs: 0,
    cutMs: 0,
    busAwayMs: 0,
    dbAwayMs: 0,
    netAwayMs: 0,
    dropMs: 0,
    adminMs: 0,
  }
  Object.assign(faults, none)
  faults.busMs = Math.min(faults.busMs, CALM_MS)
  faults.dbMs = Math.min(faults.dbMs, CALM_MS)
}
