/** Numbers transactions as PostgreSQL does, when one begins to write, so that it may be done long after one of a higher number; and knows which are under way. */
export function createTransactions() {
  const underWay = new Set<number>()
  let next = 1
  let lastDone = 0
  let current = 0

  return {
    /** The number under which rows are written just now. */
    current: () => current,

    begin(): number {
      const xid = next
      next += 1
      underWay.add(xid)
      return xid
    },

    /** Does what a transaction does, all at once; undefined when a crash has ended it before. */
    commit<T>(xid: number, run: () => T): T | undefined {
      if (!underWay.delete(xid)) return undefined
      current = xid
      lastDone = Math.max(lastDone, xid)
      return run()
    },

    rollBack: (xid: number): void => void underWay.delete(xid),

    /** As `pg_current_snapshot()`, whose xmin nobody reads: the next number, and those under way. */
    snapshot: (): string => `${next}:${[...underWay].join()}`,

    /** What is under way is lost, and numbers above the last one that was done are given again. */
    crash(): void {
      underWay.clear()
      next = lastDone + 1
    },
  }
}

/** Whether a row is one of those that `RECENT` of services/log/recent.ts reads. */
export function isSince(snapshot: string, now: string): (xid: number) => boolean {
  const [xmax = '', xip = ''] = snapshot.split(':')
  const from = Number(xmax)
  const to = Number(now.split(':')[0])
  const before = new Set(xip === '' ? [] : xip.split(',').map(Number))
  return (xid) => (xid >= from && xid < to) || before.has(xid)
}
