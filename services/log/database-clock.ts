/**
 * How old things are that bear times of the database's clock. An answer may lie about before it is read, so what one look says is only that its
 * time was between the question and the answer; looks that were answered sooner say it closer, and all of them together closest.
 */
export function createDatabaseClock() {
  /** What is to be added to a time of the database, so that it is one of performance.now(), in ms. */
  let offsetMs = Number.POSITIVE_INFINITY

  return {
    /** Takes in that it was `nowMs` there at some time between two times here. */
    compare(nowMs: number, askedAt: number, answeredAt: number): void {
      offsetMs = Math.max(askedAt - nowMs, Math.min(offsetMs, answeredAt - nowMs))
    },
    /** How many milliseconds ago it was `atMs` there. */
    ageOf: (atMs: number, now: number): number => Math.max(0, now - (atMs + offsetMs)),
  }
}
