/** Lets work run side by side, and what comes of it leave in the order in which the work began, line by line. */
export function createLines() {
  const last = new Map<string, Promise<void>>()

  return function keep<T>(line: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(line)
    const result = work()
    // It may fail before its turn has come.
    result.catch(() => {})
    const released = before ? before.then(() => result) : result
    const turn: Promise<void> = released
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (last.get(line) === turn) last.delete(line)
      })
    last.set(line, turn)
    return released
  }
}
