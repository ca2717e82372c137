/** Work of the embedded database, which does one thing at a time: what is urgent goes before what only reads. */
export function createTurns() {
  const urgent: (() => void)[] = []
  const patient: (() => void)[] = []
  let isBusy = false

  function next(): void {
    const start = urgent.shift() ?? patient.shift()
    isBusy = start !== undefined
    start?.()
  }

  /** Runs work when its turn comes. */
  return async function take<T>(isUrgent: boolean, work: () => Promise<T>): Promise<T> {
    if (isBusy) await new Promise<void>((resolve) => (isUrgent ? urgent : patient).push(resolve))
    isBusy = true
    try {
      return await work()
    } finally {
      next()
    }
  }
}
